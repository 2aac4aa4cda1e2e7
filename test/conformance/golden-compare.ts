/** Compares what we print for a capture with its golden rows, cell by cell. */
import { ByteWriter } from '../../server/fields/byte-writer.ts';
import { bindField } from '../../server/fields/field-reference.ts';
import { compileJsonRow } from '../../server/fields/json-row.ts';
import { capturePath, goldenFields, goldenLines } from '../helpers/golden.ts';
import { replay } from '../helpers/replay.ts';
import { type Cell, isSameCell, scanCells } from './cells.ts';

export interface Difference {
  readonly capture: string;
  readonly field: string;
  /** Event number of the golden row. */
  readonly num: string;
  readonly eventType: string;
  readonly expected: Cell;
  readonly actual: Cell;
}

export interface Comparison {
  readonly cells: number;
  readonly equal: number;
  readonly differences: readonly Difference[];
}

const MISSING_EVENT = new Map<string, Cell>();

/** Rows are matched in order; a row too few or too many is a difference of `evt.num`. */
export async function compareCapture(
  capture: string,
  fields: readonly string[] = goldenFields(),
): Promise<Comparison> {
  const asked = [...new Set([...fields, 'evt.num', 'evt.type'])];
  const writeRow = compileJsonRow(asked.map(bindField));
  const writer = new ByteWriter();
  const expectedLines = goldenLines(capture);
  const differences: Difference[] = [];
  let at = 0;
  let cells = 0;
  const compare = (expected: ReadonlyMap<string, Cell>, actual: ReadonlyMap<string, Cell>): void => {
    for (const field of fields) {
      cells++;
      const wanted = expected.get(field);
      const given = actual.get(field);
      if (isSameCell(wanted, given)) continue;
      const num = expected.get('evt.num') ?? actual.get('evt.num') ?? '';
      const eventType = expected.get('evt.type') ?? actual.get('evt.type') ?? '';
      differences.push({ capture, field, num, eventType, expected: wanted, actual: given });
    }
  };
  await replay(capturePath(capture), (event) => {
    writer.reset();
    writeRow(event, writer);
    const line = expectedLines[at++];
    const expected = line === undefined ? MISSING_EVENT : scanCells(line);
    compare(expected, scanCells(writer.view().toString('utf8')));
  });
  for (; at < expectedLines.length; at++) compare(scanCells(expectedLines[at] as string), MISSING_EVENT);
  return { cells, equal: cells - differences.length, differences };
}
