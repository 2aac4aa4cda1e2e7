/**
 * Cuts a capture of the quick start out of a longer one:
 *
 *   node scripts/make-quick-start.ts IN OUT EVENTS [OLD=NEW ...]
 *
 * keeps the initial state and the first EVENTS events, and replaces texts by others of the same length, so that no names
 * of the machine it was recorded on are in it. OUT is gzip.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { NEXT_END, NEXT_EVENT } from '../server/capture/capture-engine.ts';
import { SavefileEngine } from '../server/capture/savefile/savefile-engine.ts';
import { SavefileWriter } from '../server/capture/savefile/savefile-writer.ts';
import { SnapshotWriter } from '../server/capture/savefile/snapshot-writer.ts';
import { EventRecord } from '../server/event/event-record.ts';

async function cut(inPath: string, outPath: string, eventsMax: number): Promise<number> {
  const engine = new SavefileEngine({ path: inPath });
  const writer = await SavefileWriter.open(outPath, { compress: false });
  const state = new SnapshotWriter(writer);
  await engine.open(state);
  state.flush();
  const record = new EventRecord();
  while (writer.events < eventsMax) {
    const result = engine.next(record);
    if (result === NEXT_END) break;
    if (result !== NEXT_EVENT) await engine.fill();
    else if (!writer.writeEvent(record)) await writer.drain();
  }
  await writer.close();
  await engine.close();
  return writer.events;
}

function replaceAll(bytes: Buffer, from: Buffer, to: Buffer): number {
  if (from.length !== to.length) throw new Error(`'${from}' and '${to}' differ in length`);
  let count = 0;
  for (let at = bytes.indexOf(from); at !== -1; at = bytes.indexOf(from, at + to.length)) {
    to.copy(bytes, at);
    count++;
  }
  return count;
}

const [inPath, outPath, events, ...replacements] = process.argv.slice(2);
if (inPath === undefined || outPath === undefined || events === undefined) {
  throw new Error('usage: make-quick-start.ts IN OUT EVENTS [OLD=NEW ...]');
}
const plainPath = `${outPath}.plain`;
const count = await cut(inPath, plainPath, Number(events));
const bytes = readFileSync(plainPath);
rmSync(plainPath);
for (const text of replacements) {
  const [from = '', to = ''] = text.split('=');
  console.log(`${text}: ${replaceAll(bytes, Buffer.from(from), Buffer.from(to))} times`);
}
writeFileSync(outPath, gzipSync(bytes, { level: 9 }));
console.log(`${outPath}: ${count} events`);
