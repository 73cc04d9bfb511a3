import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../../src/model/series.js';
import { createEnding, type Table } from '../../src/model/table.js';
import { EnergyHistory } from './energy-history.js';

const epoch = 1_795_000_000_000_000_000n;

function seriesOf(name: string, type: string, id = '0'): Series {
  const metric = { name, unit: 'J', description: '', kind: 'counter', valueType: 'double' } as const;
  const attributes = { 'hw.type': type, 'hw.id': id };
  return { metric, resource: { attributes: {} }, attributes, start: epoch };
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
  history.take(tableOf(meters, [[0, 0], [1, NaN], [2, 20], [3, 30]])); // prettier-ignore
  history.take(tableOf(ledger, [[1, 10]]));
  assert.equal(history.findSettled(gpu), undefined);
  assert.equal(history.findSettled(meter), 10);
  history.take(createEnding(meters, epoch));
  assert.equal(history.findSettled(meter), undefined);
});

test('findSettled returns what the ledger takes for the energy of a meter that is slower than its readings', () => {
  const history = new EnergyHistory();
  // Refreshed at about 0.5, 2.5 and 4.5 s; the first reading may have been in the middle of a refresh interval.
  history.take(tableOf(meters, [[0, 0], [1, 10], [2, 10], [3, 30], [4, 30]])); // prettier-ignore
  history.take(tableOf(ledger, [[2, 10]]));
  assert.equal(history.findSettled(meter), 25);
  history.take(tableOf(ledger, [[2.5, 20]]));
  history.take(tableOf(meters, [[5, 50]]));
  assert.equal(history.findSettled(meter), 30);
  history.take(tableOf(ledger, [[4.5, 40]]));
  assert.equal(history.findSettled(meter), 50, 'without the 10 J of the first refresh');
});

test('findSettled returns the value at the end of the last window of the meter, not of another one', () => {
  const history = new EnergyHistory();
  const [other, parts] = [seriesOf('hw.energy', 'cpu', '1'), seriesOf('ledger.energy', 'cpu', '1')];
  const rows = [[0, 0], [1, 10], [2, 20], [3, 30], [4, 40]] as const; // prettier-ignore
  history.take(tableOf([meter], rows));
  history.take(tableOf([other], rows));
  const both = [...ledger, parts];
  const rowOf = (second: number, ...values: readonly number[]): Table => {
    return { ...tableOf(both, [[second, 0]]), values: Float64Array.from(values) };
  };
  history.take(rowOf(1, 10, 10));
  history.take(rowOf(2, 20, 10));
  assert.deepEqual([meter, other].map((one) => history.findSettled(one)), [20, 10]); // prettier-ignore
  history.take(rowOf(3, 20, 30));
  assert.deepEqual([meter, other].map((one) => history.findSettled(one)), [20, 30]); // prettier-ignore
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
