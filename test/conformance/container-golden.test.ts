/** Container fields against an older reference's rows, which were asked for fewer fields. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindField } from '../../server/fields/field-reference.ts';
import { capturePath, goldenLines, hasGolden } from '../helpers/golden.ts';
import { replay } from '../helpers/replay.ts';

const CAPTURE = 'run_as_user_0_container';
const FIELDS = [
  'container.id',
  'container.full_id',
  'container.name',
  'container.type',
  'container.image',
  'container.image.repository',
  'container.mounts',
  'container.privileged',
];

const skip = hasGolden() ? false : 'the golden files are not beside the repository';

interface Row {
  readonly [field: string]: unknown;
}

test('containers of a capture look as in the golden file', { skip, timeout: 60_000 }, async (t) => {
  // The older reference numbers enter events too: rows are found by time and thread.
  const rows = new Map<string, Row>();
  for (const line of goldenLines(`${CAPTURE}.container`)) {
    const timeText = /"evt\.rawtime":([0-9]+)/.exec(line)?.[1] ?? '';
    const row = JSON.parse(line) as Row;
    rows.set(`${timeText} ${row['thread.tid']}`, row);
  }
  const fields = FIELDS.map(bindField);
  let cells = 0;
  await replay(capturePath(CAPTURE), (event) => {
    const row = rows.get(`${event.record.timestampNs()} ${event.record.tid}`);
    assert.ok(row !== undefined, `event ${event.record.num} is not in the golden file`);
    for (const field of fields) {
      assert.equal(field.extract(event), row[field.name], `${field.name} of event ${event.record.num}`);
      cells++;
    }
  });
  t.diagnostic(`cells ${cells}`);
});
