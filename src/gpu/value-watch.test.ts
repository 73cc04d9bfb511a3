import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device } from './protocol.js';
import { ValueWatch } from './value-watch.js';

const device: Device = {
  id: 'GPU-1',
  vendor: 'NVIDIA',
  domain: undefined,
  interfaces: { energy: 'nvml', power: 'nvml_power' },
  tasks: [],
  hasTaskUtilization: true,
  name: 'H100',
  parent: undefined,
  serialNumber: undefined,
  firmwareVersion: undefined,
  driverVersion: '1',
  maxWatts: 700,
  temperatureLimits: [],
  columns: ['energy', 'utilization.general', 'temperature.gpu'],
  profileColumns: [],
};

/** The problems of each reading. */
function watch(...readings: readonly (readonly number[])[]): readonly (readonly string[])[] {
  const watched = new ValueWatch(device);
  return readings.map((values) => {
    watched.take(Float64Array.from(values));
    return watched.problems;
  });
}

test('ValueWatch finds no problem in the energy of a GPU that ran at 700 W for ten years', () => {
  assert.deepEqual(watch([0, 0, 40], [700e6 * 3600 * 10, 0, 40], [700e6 * 3600 * 87_660, 0, 40]), [
    [],
    [],
    [],
  ]);
});

test('ValueWatch reports each value that its column cannot have, until it has one again', () => {
  const unset = 1e3 * Number(2n ** 64n - 1n);
  assert.deepEqual(watch([1, 0.5, 40], [unset, 42, -200], [2, 0.5, NaN]), [
    [],
    [
      `Cannot read energy of "H100" (GPU-1): expected 0 to 10000000000000000000, found ${unset}`,
      'Cannot read utilization.general of "H100" (GPU-1): expected 0 to 1, found 42',
      'Cannot read temperature.gpu of "H100" (GPU-1): expected -100 to 250, found -200',
    ],
    [],
  ]);
});

test('ValueWatch does not report a value that the driver has never had', () => {
  assert.deepEqual(watch([1, 42, 40], [2, 42, 40]), [[], []]);
});
