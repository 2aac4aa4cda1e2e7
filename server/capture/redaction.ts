/**
 * Keeps secrets out of everything: arguments and environment variables of processes are cleaned before any other part of the
 * server sees them, so that state, streams, retained events and recordings hold the same blotted text.
 */
import { RE2JS } from 're2js';
import { splitNul } from '../event/event-record.ts';
import type { ThreadEntry } from '../event/snapshot.ts';
import type { LiveOptions } from './live-options.ts';

const BLOT = '***';

export class Redactor {
  private readonly patterns: readonly RE2JS[];
  private readonly envNames: ReadonlySet<string>;

  /** Throws for patterns that do not compile. */
  constructor(options: Pick<LiveOptions, 'collectEnv' | 'redactArgs'>) {
    // Text in memory is one character per byte: so must be the pattern's.
    this.patterns = options.redactArgs.map((pattern) => RE2JS.compile(binary(pattern)));
    this.envNames = new Set(options.collectEnv.map(binary));
  }

  get hasPatterns(): boolean {
    return this.patterns.length > 0;
  }

  /** Arguments, a NUL-separated run: as many as before, with `***` in place of what a pattern matches. */
  args(run: string): string {
    if (run === '') return run;
    // Patterns see the arguments as on a command line.
    let text = run;
    for (const pattern of this.patterns) text = blot(pattern, text);
    return text;
  }

  /** Environment variables, a NUL-separated run of `NAME=value`: those on the list. */
  env(run: string): string {
    if (run === '' || this.envNames.size === 0) return '';
    const kept = splitNul(run).filter((item) => this.envNames.has(item.slice(0, item.indexOf('='))));
    return kept.map((item) => `${this.args(item)}\0`).join('');
  }

  thread(entry: ThreadEntry): ThreadEntry {
    const env = this.env(entry.env);
    if (!this.hasPatterns && env === entry.env) return entry;
    // The first argument stands in a member of its own, but patterns may span it and the next.
    const [exe, args] = this.command(entry.exe, entry.args);
    return { ...entry, env, exe, args };
  }

  /** `exe` is the first argument, `args` the run of the others. */
  command(exe: string, args: string): readonly [exe: string, args: string] {
    if (!this.hasPatterns) return [exe, args];
    const run = this.args(`${exe}\0${args}`);
    const end = run.indexOf('\0');
    return [run.slice(0, end), run.slice(end + 1)];
  }
}

/** What is matched, or the groups of the pattern when it has some, becomes `***`; the ends of arguments stay. */
function blot(pattern: RE2JS, run: string): string {
  const matcher = pattern.matcher(run.replaceAll('\0', ' '));
  const groups = matcher.groupCount();
  let text = '';
  let at = 0;
  while (matcher.find()) {
    for (let group = groups === 0 ? 0 : 1; group <= groups; group++) {
      const start = matcher.start(group);
      const end = matcher.end(group);
      if (start < at || end <= start) continue;
      text += run.slice(at, start) + run.slice(start, end).replace(/[^\0]+/g, BLOT);
      at = end;
    }
  }
  return at === 0 ? run : text + run.slice(at);
}

function binary(text: string): string {
  return Buffer.from(text, 'utf8').latin1Slice();
}
