import type { Table } from '../../src/model/table.js';
import { Batcher } from '../../src/otlp/batcher.js';
import { decodePoints, type DecodedPoint } from '../../src/otlp/decode-request.fixture.js';

/** The OTLP points expected for some tables, by an independent decoder. */
export function expectPoints(tables: readonly Table[]): readonly DecodedPoint[] {
  const points: DecodedPoint[] = [];
  const batcher = new Batcher({ maxPoints: 8192, maxBytes: 1e6 }, ({ bytes }) =>
    points.push(...decodePoints(bytes)),
  );
  for (const table of tables) batcher.add(table);
  batcher.flush();
  return points;
}

/** Number of values of each metric, and their sum, without gaps. */
export function expectValues(
  tables: readonly Table[],
): ReadonlyMap<string, { readonly count: number; readonly sum: number }> {
  const values = new Map<string, { count: number; sum: number }>();
  for (const { name, value } of expectPoints(tables)) {
    if (value === undefined) continue;
    const known = values.get(name) ?? { count: 0, sum: 0 };
    values.set(name, { count: known.count + 1, sum: known.sum + Number(value) });
  }
  return values;
}
