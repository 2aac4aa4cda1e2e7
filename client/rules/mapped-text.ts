/** A text that knows for each of its characters where in the rule files it came from. */
import type { PlaceCode } from './rule-files.ts';

export class MappedText {
  readonly text: string;
  /** One code per UTF-16 unit of the text. */
  private readonly codes: readonly PlaceCode[];

  /** `codes` has as many entries as `text` has UTF-16 units. */
  constructor(text: string, codes: readonly PlaceCode[]) {
    this.text = text;
    this.codes = codes;
  }

  /** A text all of whose characters come from one place. */
  static at(text: string, code: PlaceCode): MappedText {
    return new MappedText(text, new Array<PlaceCode>(text.length).fill(code));
  }

  static concat(parts: readonly MappedText[]): MappedText {
    return new MappedText(
      parts.map((part) => part.text).join(''),
      parts.flatMap((part) => part.codes),
    );
  }

  /** Where the character at `index` came from; beyond the end, where the last one did. */
  codeAt(index: number): PlaceCode {
    const last = this.codes.length - 1;
    return this.codes[Math.min(Math.max(index, 0), last)] ?? 0;
  }

  slice(start: number, end: number = this.text.length): MappedText {
    return new MappedText(this.text.slice(start, end), this.codes.slice(start, end));
  }

  trim(): MappedText {
    const start = this.text.length - this.text.trimStart().length;
    return this.slice(start, Math.max(start, this.text.trimEnd().length));
  }
}
