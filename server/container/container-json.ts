/** Reading of the JSON of container events, which comes from outside: any member may be missing or of another type. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** Bytes of JSON read; a longer text is refused. */
const JSON_BYTES_MAX = 4 * 1024 * 1024;

/** Look-up states of container events: 1 is success; 0 says it has begun, 2 that it failed. */
const LOOKUP_SUCCESS = 1;
/** Stands for name and image while the look-up has only begun. */
const UNKNOWN_WORD = 'incomplete';

/** The object a text (binary string, UTF-8 inside) holds; undefined when it holds none. */
export function parseJson(text: string): JsonObject | undefined {
  if (text.length > JSON_BYTES_MAX) return undefined;
  try {
    return objectOf(JSON.parse(Buffer.from(text, 'latin1').toString('utf8')));
  } catch {
    return undefined;
  }
}

export function objectOf(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** Text as a binary string; '' when the value is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? Buffer.from(value, 'utf8').toString('latin1') : '';
}

export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textMapOf(value: unknown): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const [key, text] of Object.entries(objectOf(value) ?? {})) map.set(textOf(key), textOf(text));
  return map;
}

/** Whether the event carries the result of a look-up and not only word that one has begun. Old events do not say it otherwise. */
export function isComplete(container: JsonObject): boolean {
  const state = container['lookup_state'];
  return typeof state === 'number' ? state === LOOKUP_SUCCESS : container['image'] !== UNKNOWN_WORD;
}

/** Text that is the word for what is not known yet counts as none. */
export function knownTextOf(value: unknown): string {
  return value === UNKNOWN_WORD ? '' : textOf(value);
}
