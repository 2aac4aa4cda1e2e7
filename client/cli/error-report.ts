/** Errors as text for people: the place a text is wrong at is marked by a caret. */

/** What is wrong with a text the user wrote. */
export interface TextFault {
  /** What the text is: `filter`, `field`, `output format`. */
  readonly subject: string;
  /** The text as the user wrote it. */
  readonly text: string;
  readonly message: string;
  /** Offset of the fault in bytes of the text's UTF-8 form; undefined when not known. */
  readonly position: number | undefined;
  /** Names close to an unknown one, best first. */
  readonly suggestions: readonly string[];
}

/** Widest part of a long text that is shown. */
const SHOWN_CHARS_MAX = 100;

/**
 * ```
 * filter: unknown field 'proc.nam'
 *   evt.type = open and proc.nam = cat
 *                       ^
 *   did you mean proc.name?
 * ```
 */
export function formatTextFault(fault: TextFault): string {
  const lines = [`${fault.subject}: ${fault.message}`];
  if (fault.text !== '' && fault.position !== undefined)
    lines.push(...markPosition(fault.text, fault.position));
  if (fault.suggestions.length > 0) lines.push(`  did you mean ${joinNames(fault.suggestions)}?`);
  return lines.join('\n');
}

/** The line of `text` that holds the byte `position`, and a line with a caret below that byte. */
export function markPosition(text: string, position: number): string[] {
  const bytes = Buffer.from(text, 'utf8');
  const offset = bytes.subarray(0, Math.min(position, bytes.length)).toString('utf8').length;
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const lineEnd = text.indexOf('\n', offset);
  const line = text.slice(lineStart, lineEnd === -1 ? undefined : lineEnd);
  let column = offset - lineStart;
  let shown = line;
  if (line.length > SHOWN_CHARS_MAX) {
    const from = Math.max(0, Math.min(column - SHOWN_CHARS_MAX / 2, line.length - SHOWN_CHARS_MAX));
    const to = Math.min(line.length, from + SHOWN_CHARS_MAX);
    const prefix = from > 0 ? '...' : '';
    shown = `${prefix}${line.slice(from, to)}${to < line.length ? '...' : ''}`;
    column = column - from + prefix.length;
  }
  // Tabs would put the caret elsewhere than below its character.
  return [`  ${printable(shown.replaceAll('\t', ' '))}`, `  ${' '.repeat(column)}^`];
}

function joinNames(names: readonly string[]): string {
  if (names.length <= 1) return names[0] ?? '';
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** Text from events or files with control characters made visible, so that it cannot steer the terminal. */
export function printable(text: string): string {
  let shown = '';
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
    shown += isControl ? `\\x${code.toString(16).padStart(2, '0')}` : char;
  }
  return shown;
}
