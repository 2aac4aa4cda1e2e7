/** A capture in which metadata of containers comes after their first events. */
import type { TestContext } from 'node:test';
import { exec, write } from './delivery-events.ts';
import { buildEventBytes } from './event-builder.ts';
import type { ScriptEvent } from './query-fixture.ts';
import { ScapBuilder } from './scap-builder.ts';
import { threadRow } from './scap-rows.ts';
import { containerId, foundJson } from './tracker-bench.ts';
import { writeCapture } from './worker-fixture.ts';

const START_NS = 1_700_000_000_000_000_000n;
function found(name: string): ScriptEvent {
  return {
    code: 'PPME_ASYNCEVENT_E',
    tid: -1,
    params: {
      plugin_id: 0,
      name: 'container',
      data: Buffer.from(`${foundJson(containerId(name), `name-${name}`)}\0`),
    },
  };
}

/** `a` is known after 100 ms, `b` after 700, `c` never; a process of the host goes on meanwhile. */
const EVENTS: readonly (readonly [ms: number, event: ScriptEvent])[] = [
  [0, exec(20, '', 'top')],
  [10, exec(30, 'a', 'first')],
  [20, exec(40, 'b', 'slow')],
  [30, write(30, 1)],
  [40, write(20, 1)],
  [110, found('a')],
  [120, write(30, 1)],
  [600, write(20, 1)],
  [650, write(40, 1)],
  [720, found('b')],
  [730, write(40, 1)],
  [740, exec(50, 'c', 'last')],
];

export function lateCapture(t: TestContext): string {
  const builder = new ScapBuilder().machine().threads([threadRow({ tid: 1, pid: 1 })]);
  for (const [ms, event] of EVENTS) {
    const ts = START_NS + BigInt(ms) * 1_000_000n;
    builder.record(buildEventBytes(event.code, event.params, { ...event, ts }), {
      isLarge: event.code === 'PPME_ASYNCEVENT_E',
    });
  }
  return writeCapture(t, builder.bytes());
}
