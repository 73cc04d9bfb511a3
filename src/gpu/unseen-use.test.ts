import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnseenUse } from './unseen-use.js';

/** Adds windows of a second: the utilization of each column, and the usage of each process, in percent. */
function takeAll(columns: readonly string[], windows: readonly (readonly [number[], number[]])[]) {
  const unseen = new UnseenUse(columns);
  return windows.map(([values, general]) => {
    const samples = general.map((share, pid) => ({ pid, shares: { general: share, copy: 50 } }));
    const usage = { fromNs: 0n, toNs: 1_000_000_000n, samples, unseen: 0 };
    return Math.round(unseen.take(Float64Array.from(values), usage));
  });
}

const [amd, intel] = [
  ['power.instant', 'utilization.general', 'utilization.memory'],
  ['utilization.bcs0', 'utilization.rcs0', 'utilization.ccs0'],
];

test('UnseenUse is the use of a GPU beyond that of its processes', () => {
  assert.deepEqual(
    takeAll(amd, [
      [
        [300, 0.9, 1],
        [10, 20],
      ],
      [[300, 0.3, 1], [30]],
      [[300, 1, 1], []],
    ]),
    [60, 0, 100],
  );
  assert.deepEqual(takeAll(intel, [[[1, 0.9, 0.6], [100]]]), [50]);
});

test('UnseenUse compares over several windows, since the utilization is instantaneous', () => {
  const flicker = [0, 1, 0, 1, 0, 1].map((busy): [number[], number[]] => [[9, busy, 0], [50]]);
  assert.deepEqual(takeAll(amd, flicker), [0, 0, 0, 0, 0, 0]);
});

test('UnseenUse shows the use of ended processes after ten windows if other processes were ahead', () => {
  const windows = Array.from({ length: 112 }, (_, i): [number[], number[]] =>
    i < 100
      ? [
          [9, 0, 0],
          [100, 100],
        ]
      : [[9, 1, 0], []],
  );
  const shown = takeAll(amd, windows);
  assert.deepEqual(new Set(shown.slice(0, 110)), new Set([0]));
  assert.deepEqual(shown.slice(110), [100, 100]);
});

test('UnseenUse is 0 if the utilization is unknown', () => {
  assert.deepEqual(takeAll(['utilization.memory'], [[[1], [0]]]), [0]);
  assert.deepEqual(takeAll(amd, [[[300, NaN, 1], [0]]]), [0]);
  assert.deepEqual(takeAll(amd, [[[300, 655.35, 1], [0]]]), [0]);
});
