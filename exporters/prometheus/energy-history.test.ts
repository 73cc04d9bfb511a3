import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../../src/model/series.js';
import { createEnding, type Table } from '../../src/model/table.js';
import { EnergyHistory } from './energy-history.js';

const epoch = 1_795_000_000_000_000_000n;

function seriesOf(name: string, type: string): Series {
  const metric = { name, unit: 'J', description: '', kind: 'counter', valueType: 'double' } as const;
  return { metric, resource: { attributes: {} }, attributes: { 'hw.type': type }, start: epoch };
}

const meter = seriesOf('hw.energy', 'cpu');
const meters = [meter];
const ledger = [seriesOf('ledger.energy', 'cpu')];

/** Rows of one column: seconds after the epoch, and joules. */
function tableOf(
  series: readonly Series[],
  rows: readonly (readonly [seconds: number, joules: number])[],
): Table {
  const offsets = Float64Array.from(rows, ([seconds]) => seconds * 1e9);
  return { series, epoch, offsets, values: Float64Array.from(rows, ([, joules]) => joules) };
}

test("findSettled returns the meter's value at the end of the last window of the ledger", () => {
  const history = new EnergyHistory();
  history.take(tableOf(meters, [[0, 0], [1, 10]])); // prettier-ignore
  history.take(tableOf(meters, [[2, 30]]));
  assert.equal(history.findSettled(meter), undefined, 'no window has ended');
  history.take(tableOf(ledger, [[1.5, 20]]));
  assert.equal(history.findSettled(meter), 20);
  history.take(tableOf(meters, [[3, 40], [4, 40]])); // prettier-ignore
  assert.equal(history.findSettled(meter), 20, 'later readings change nothing');
  history.take(tableOf(ledger, [[2, 30]]));
  assert.equal(history.findSettled(meter), 30);
  history.take(tableOf(ledger, [[9, 40]]));
  assert.equal(history.findSettled(meter), 40, 'without a later reading it is the last one');
});

test('findSettled returns undefined for other hardware, for gaps, and for a meter that ended', () => {
  const history = new EnergyHistory();
  const gpu = seriesOf('hw.energy', 'gpu');
  history.take(tableOf([gpu], [[0, 5]]));
  history.take(tableOf(meters, [[0, 0], [1, NaN], [2, 20]])); // prettier-ignore
  history.take(tableOf(ledger, [[1, 10]]));
  assert.equal(history.findSettled(gpu), undefined);
  assert.equal(history.findSettled(meter), 10);
  history.take(createEnding(meters, epoch));
  assert.equal(history.findSettled(meter), undefined);
});

test('findSettled ignores a ledger that has stopped, until it continues', () => {
  const history = new EnergyHistory();
  history.take(tableOf(ledger, [[0, 0]]));
  for (let second = 0; second <= 121; second++) history.take(tableOf(meters, [[second, second]]));
  assert.equal(history.findSettled(meter), undefined);
  history.take(tableOf(ledger, [[121, 121]]));
  assert.equal(history.findSettled(meter), 121);
});

test('show never decreases when a ledger starts late, stops or continues', () => {
  const history = new EnergyHistory();
  const show = (joules: number) => history.show(meter, joules);
  history.take(tableOf(meters, [[1, 10], [2, 20], [3, 30]])); // prettier-ignore
  assert.equal(show(30), 30, 'without a window it is what the meter has counted');
  history.take(tableOf(ledger, [[2, 20]]));
  assert.equal(show(30), 30, 'the first window ended before that');
  history.take(tableOf(meters, [[4, 40], [5, 50]])); // prettier-ignore
  history.take(tableOf(ledger, [[4, 40]]));
  assert.equal(show(50), 40);
  history.take(tableOf(meters, [[200, 200]]));
  assert.equal(show(200), 200, 'the ledger has stopped');
  history.take(tableOf(ledger, [[150, 150]]));
  assert.equal(show(200), 200);
});
