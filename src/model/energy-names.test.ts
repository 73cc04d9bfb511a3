import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkEnergyNames,
  deriveEnergyName,
  energyNames,
  groupEnergyNames,
  isEnergyName,
  meterNames,
} from './energy-names.js';

test('isEnergyName recognizes energy counters by the end of their names', () => {
  assert.deepEqual(
    ['hw.energy', 'process.energy', 'energy', 'hw.energy.limit', 'hw_energy'].map(isEnergyName),
    [true, true, false, false, false],
  );
});

test('deriveEnergyName replaces the last part of the name only', () => {
  assert.equal(deriveEnergyName('process.energy', 'power'), 'process.power');
  assert.equal(deriveEnergyName('my.energy.energy', 'cost'), 'my.energy.cost');
});

test('energyNames has hardware, processes and every kind of group, each once', () => {
  assert.deepEqual(energyNames.slice(0, 3), ['hw.energy', 'hw.host.energy', 'process.energy']);
  assert.deepEqual(energyNames.slice(3), Object.values(groupEnergyNames));
  assert.equal(new Set(energyNames).size, energyNames.length);
  assert.deepEqual(checkEnergyNames(energyNames), []);
});

test('meterNames has the counters of meters, their emissions and their costs, and nothing of workloads', () => {
  assert.deepEqual(
    [...meterNames],
    ['hw.energy', 'hw.carbon', 'hw.cost', 'hw.host.energy', 'hw.host.carbon', 'hw.host.cost'],
  );
});

test('checkEnergyNames names each metric that is no energy counter', () => {
  const expected = 'metrics: expected energy counters, whose names end in ".energy", found';
  assert.deepEqual(checkEnergyNames(['hw.power', 'hw.energy', 'time']), [
    `${expected} "hw.power"`,
    `${expected} "time"`,
  ]);
});
