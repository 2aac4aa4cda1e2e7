/** Reading of what runtimes send over gRPC: members may be missing, of another type, or far too many. */
import { type JsonObject, listOf, objectOf, textMapOf, textOf } from '../container-json.ts';

/** Members of one list or map that are kept: labels, mounts, variables of one container. */
const ITEMS_MAX = 1024;

/** Characters of JSON text that are read. */
const JSON_LENGTH_MAX = 4 * 1024 * 1024;

const INTEGER = /^\d{1,19}$/;

/** The object in a JSON text as it came; undefined when it holds none. */
export function jsonObjectOf(text: unknown): JsonObject | undefined {
  if (typeof text !== 'string' || text.length > JSON_LENGTH_MAX) return undefined;
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The object under a path of members. */
export function objectAt(value: unknown, ...path: readonly string[]): JsonObject | undefined {
  let object = objectOf(value);
  for (const key of path) object = objectOf(object?.[key]);
  return object;
}

/** 64-bit numbers come as decimal text; 0n when it is none, or negative. */
export function bigintOf(value: unknown): bigint {
  return typeof value === 'string' && INTEGER.test(value) ? BigInt(value) : 0n;
}

/** Enums come by name from gRPC and by number from Go's JSON. */
export function isEnum(value: unknown, name: string, number: number): boolean {
  return value === name || value === number;
}

/** A binary string as the text it is, for requests. */
export function wireText(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

export function itemsOf(value: unknown): readonly unknown[] {
  const list = listOf(value);
  return list.length > ITEMS_MAX ? list.slice(0, ITEMS_MAX) : list;
}

/** Objects of a list; what is none is left out. */
export function objectsOf(value: unknown): readonly JsonObject[] {
  return listOf(value)
    .map(objectOf)
    .filter((item) => item !== undefined);
}

/** Texts by text, binary strings, as many as are kept; in order of their keys, as runtimes send them in another order each time. */
export function labelsOf(value: unknown): ReadonlyMap<string, string> {
  const entries = [...textMapOf(objectOf(value))].sort(byKey);
  return new Map(entries.length > ITEMS_MAX ? entries.slice(0, ITEMS_MAX) : entries);
}

export function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The first text that is there, as a binary string. */
export function firstText(...values: readonly unknown[]): string {
  for (const value of values) {
    const text = textOf(value);
    if (text !== '') return text;
  }
  return '';
}
