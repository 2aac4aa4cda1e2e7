/** The value of `--fields`: a list of field names, or `@FILE` with one. */
import { readFileSync } from 'node:fs';
import { usageError } from './cli-error.ts';
import { describeFileError } from './file-error.ts';

/** Field names of `--fields`; `@FILE` is read. Throws a CliError for unreadable files and malformed lists. */
export function readFieldList(argument: string): string[] {
  if (!argument.startsWith('@')) return checkNotEmpty(splitFields(argument), '--fields');
  const path = argument.slice(1);
  const place = `--fields @${path}`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw usageError(`${place}: ${describeFileError(error)}`);
  }
  const trimmed = text.trim();
  return checkNotEmpty(trimmed.startsWith('[') ? parseArray(trimmed, place) : splitFields(trimmed), place);
}

/**
 * Splits at commas and white space outside brackets: `proc.name, evt.arg[a,b]` holds two names. White space around a
 * bracketed argument belongs to it.
 */
export function splitFields(text: string): string[] {
  const names: string[] = [];
  let start = 0;
  let depth = 0;
  for (let i = 0; i <= text.length; i++) {
    const char = text[i];
    if (char === '[') depth++;
    else if (char === ']') depth = Math.max(0, depth - 1);
    else if (char === undefined || (depth === 0 && (char === ',' || /\s/.test(char)))) {
      if (i > start) names.push(text.slice(start, i));
      start = i + 1;
    }
  }
  if (depth > 0) throw usageError(`--fields: '[' without ']' in '${names.at(-1) ?? text}'`);
  return names;
}

function parseArray(text: string, place: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usageError(`${place}: ${(error as Error).message}`);
  }
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw usageError(`${place}: expected a JSON array of field names`);
  }
  return value;
}

function checkNotEmpty(names: string[], place: string): string[] {
  if (names.length === 0) throw usageError(`${place}: no field names`);
  return names;
}
