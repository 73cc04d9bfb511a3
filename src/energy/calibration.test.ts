import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createRandom } from '../testing/random.fixture.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import {
  fitCalibration,
  loadCalibrations,
  lossRatioAt,
  saveCalibration,
  type Calibration,
  type PowerPair,
} from './calibration.js';

const place = { at: 1_800_000_000, sensors: ['cpu-package-0'] };

/** Pairs of a meter with a known offset and gain, and noise of a standard deviation in watts. */
function createPairs(seed: number, truth: { offset: number; gain: number; square?: number; noise: number }) {
  const random = createRandom(seed);
  // Box-Muller transform.
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - random.fraction())) * Math.cos(2 * Math.PI * random.fraction());
  return [20, 45, 70, 95, 120, 20].flatMap((watts) =>
    Array.from({ length: 10 }, (): PowerPair => {
      const sensors = watts + random.fraction();
      const { offset, gain, square = 0, noise } = truth;
      return { sensors, meter: offset + gain * sensors + square * sensors ** 2 + noise * normal() };
    }),
  );
}

const idleOf = (pairs: readonly PowerPair[]) => pairs.filter(({ sensors }) => sensors < 30);

test('fitCalibration finds offset and gain within their intervals in 95 of 100 runs', () => {
  const runs = 1000;
  let [offsets, gains, curves] = [0, 0, 0];
  for (let seed = 1; seed <= runs; seed++) {
    const pairs = createPairs(seed, { offset: 32, gain: 1.15, noise: 1.5 });
    const { offset, gain, curve } = fitCalibration(pairs, idleOf(pairs), place);
    if (Math.abs(offset.value - 32) <= offset.halfWidth) offsets += 1;
    if (Math.abs(gain.value - 1.15) <= gain.halfWidth) gains += 1;
    if (curve) curves += 1;
  }
  // Three standard deviations of a binomial distribution with 95 and with 5 %: 21 of 1000.
  for (const count of [offsets, gains]) assert.ok(Math.abs(count - 950) <= 21, `${count} of ${runs}`);
  assert.ok(Math.abs(curves - 50) <= 21, `a curve that is not there in ${curves} of ${runs}`);
});

test('fitCalibration finds the curve of a power supply, and the losses at a given power from it', () => {
  const pairs = createPairs(7, { offset: 30, gain: 1.05, square: 0.001, noise: 0.05 });
  const calibration = fitCalibration(pairs, idleOf(pairs), place);
  const square = calibration.curve?.[2];
  assert.ok(square && Math.abs(square.value - 0.001) <= 2 * square.halfWidth, `found ${square?.value}`);
  assert.ok(Math.abs(lossRatioAt(calibration, 100) - 0.15) < 0.01);
  assert.ok(Math.abs(lossRatioAt(calibration, 5000) - (0.05 + 0.001 * calibration.to)) < 0.01);
});

test('lossRatioAt is the slope of a line beyond its sensors, and never negative', () => {
  const pairs = createPairs(3, { offset: 30, gain: 1.2, noise: 0 });
  const calibration = fitCalibration(pairs, idleOf(pairs), place);
  assert.equal(lossRatioAt(calibration, 50).toFixed(6), '0.200000');
  assert.equal(lossRatioAt({ ...calibration, gain: { value: 0.9, halfWidth: 0.1 } }, 50), 0);
});

test('fitCalibration reports the power of the idle machine beyond its sensors', () => {
  const pairs = [
    { sensors: 10, meter: 50 },
    { sensors: 12, meter: 52 },
    { sensors: 100, meter: 150 },
  ];
  assert.equal(fitCalibration(pairs, pairs.slice(0, 2), place).idleRemainder, 40);
});

test('fitCalibration rejects points that do not determine a line', () => {
  const pair = { sensors: 10, meter: 50 };
  assert.throws(() => fitCalibration([pair, pair, pair], [pair], place), {
    message: 'Cannot fit a line: expected 3 points of different power, found 3 of 1',
  });
});

function createCalibration(): Calibration {
  const pairs = createPairs(7, { offset: 30, gain: 1.05, square: 0.001, noise: 0.05 });
  return fitCalibration(pairs, idleOf(pairs), place);
}

test('saveCalibration adds one to a file and replaces that of the same meter', () => {
  const path = join(createFolder(), 'calibration.json');
  const calibration = createCalibration();
  saveCalibration(path, 'bmc', { ...calibration, points: 3 });
  saveCalibration(path, 'wall', calibration);
  saveCalibration(path, 'bmc', calibration);
  assert.deepEqual(
    [...loadCalibrations(path)],
    [
      ['bmc', calibration],
      ['wall', calibration],
    ],
  );
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('loadCalibrations reports the error in a file', () => {
  const folder = createFolder();
  assert.equal(loadCalibrations(join(folder, 'none.json')).size, 0);
  const path = join(folder, 'calibration.json');
  for (const [text, message] of [
    ['', /^Cannot parse .*: Unexpected end of JSON input/u],
    ['[]', /expected a map at the file, found \[\]$/u],
    ['{"calibrations":{"bmc":7}}', /expected a map at bmc, found 7$/u],
    ['{"calibrations":{"bmc":{"at":1,"points":"3"}}}', /expected a number at bmc\.points, found "3"$/u],
  ] as const) {
    writeFileSync(path, text);
    assert.throws(() => loadCalibrations(path), { message });
  }
  saveThenCut(path);
  assert.throws(() => loadCalibrations(path), { message: /^Cannot parse / });
  mkdirSync(join(folder, 'folder'));
  assert.throws(() => loadCalibrations(join(folder, 'folder')), { message: /^Cannot read / });
});

function saveThenCut(path: string): void {
  writeFileSync(path, '{"calibrations":{}}');
  saveCalibration(path, 'bmc', createCalibration());
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.slice(0, text.length / 2));
}
