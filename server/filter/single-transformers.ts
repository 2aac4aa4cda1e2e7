/** Transformers of one value: `tolower`, `toupper`, `b64`, `basename`, `len`. */
import type { FieldType, FieldValue, Scalar } from '../fields/field.ts';
import type { SingleTransformer } from './ast.ts';
import { asciiLower, asciiUpper } from './binary-text.ts';

export interface CompiledTransformer {
  readonly type: FieldType;
  readonly isList: boolean;
  /** undefined when the value cannot be transformed: the result is absent. */
  transform(value: Exclude<FieldValue, undefined>): FieldValue;
}

const BASE64 = /^[A-Za-z0-9+/]*$/;

/** The transformer for a type of value; undefined when it does not take the type. */
export function compileSingleTransformer(
  transformer: SingleTransformer,
  type: FieldType,
  isList: boolean,
): CompiledTransformer | undefined {
  if (transformer === 'len') return lengthOf(type, isList);
  const isText = type === 'string';
  switch (transformer) {
    case 'tolower':
      return isText ? eachText(type, isList, asciiLower) : undefined;
    case 'toupper':
      return isText ? eachText(type, isList, asciiUpper) : undefined;
    case 'basename':
      return isText ? eachText(type, isList, (text) => text.slice(text.lastIndexOf('/') + 1)) : undefined;
    case 'b64':
      if (isText) return eachText(type, isList, (text) => upToNul(decodeBase64(text)));
      return type === 'bytes' ? eachText(type, isList, decodeBase64) : undefined;
  }
}

/** How many items a list has, or how many bytes a text. */
function lengthOf(type: FieldType, isList: boolean): CompiledTransformer | undefined {
  if (isList)
    return { type: 'uint64', isList: false, transform: (value) => (value as readonly Scalar[]).length };
  if (type !== 'string' && type !== 'bytes') return undefined;
  return { type: 'uint64', isList: false, transform: (value) => (value as string).length };
}

function eachText(
  type: FieldType,
  isList: boolean,
  change: (text: string) => string | undefined,
): CompiledTransformer {
  return {
    type,
    isList,
    transform: (value) => {
      if (typeof value === 'string') return change(value);
      const texts: string[] = [];
      for (const item of value as readonly string[]) {
        const text = change(item);
        if (text === undefined) return undefined;
        texts.push(text);
      }
      return texts;
    },
  };
}

/** The decoded bytes as a binary string; padding may be missing. undefined for what is not base64. */
function decodeBase64(text: string): string | undefined {
  let end = text.length;
  while (end > 0 && text.length - end < 2 && text[end - 1] === '=') end--;
  const digits = text.slice(0, end);
  if (digits.length % 4 === 1 || !BASE64.test(digits)) return undefined;
  return Buffer.from(digits, 'base64').latin1Slice();
}

/** Texts end at a NUL. */
function upToNul(text: string | undefined): string | undefined {
  const nul = text?.indexOf('\0') ?? -1;
  return nul < 0 ? text : text?.slice(0, nul);
}
