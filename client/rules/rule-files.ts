/** The texts that rules are read from, and places in them. */
import { LineCounter } from 'yaml';

/** A place in a file, for people: both count from 1, columns in characters. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A place as one number: the file's index times 2^32, plus the offset in characters. Cheap to keep per character. */
export type PlaceCode = number;

const FILE_STEP = 2 ** 32;

export interface RuleFile {
  readonly name: string;
  readonly text: string;
  readonly lines: LineCounter;
  /** Code of the first character. */
  readonly start: PlaceCode;
}

export class RuleFiles {
  private readonly files: RuleFile[];

  constructor() {
    this.files = [];
  }

  /** Adds a file; its line counter is filled by whoever parses the text. */
  add(name: string, text: string): RuleFile {
    const file = { name, text, lines: new LineCounter(), start: this.files.length * FILE_STEP };
    this.files.push(file);
    return file;
  }

  /** Throws RangeError for codes that are of no file. */
  place(code: PlaceCode): Place {
    const file = this.files[Math.floor(code / FILE_STEP)];
    if (file === undefined) throw new RangeError(`no file holds the place ${code}`);
    const { line, col } = file.lines.linePos(code % FILE_STEP);
    return { file: file.name, line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}
