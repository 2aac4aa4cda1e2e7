/** The text that replaced the first kind of container record (id, type, name, image). */
import { cString, EVENT_HEADER_BYTES } from './event-record.ts';

/** Escapes what would end or break a JSON string; bytes beyond ASCII stay as they are. */
function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** JSON (a binary string) of the PPME_CONTAINER_E record at `offset`, which has four parameters. */
export function containerJson(bytes: Buffer, view: DataView, offset: number): string {
  const values: string[] = [];
  let at = offset + EVENT_HEADER_BYTES + 4 * 2;
  for (let i = 0; i < 4; i++) {
    const length = view.getUint16(offset + EVENT_HEADER_BYTES + i * 2, true);
    if (i === 1) values.push(String(length === 4 ? view.getUint32(at, true) : 0));
    else values.push(length === 0 ? '' : escapeJson(cString(bytes, at, at + length)));
    at += length;
  }
  const [id, type, name, image] = values;
  return `{"id":"${id}","type":${type},"name":"${name}","image":"${image}"}`;
}
