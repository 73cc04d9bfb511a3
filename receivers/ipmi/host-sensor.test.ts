import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFullRecord, unit, type RecordOptions } from './fake-bmc.fixture.js';
import { findHostSensor } from './host-sensor.js';
import { parseSensorRecord } from './sensor-record.js';

function find(...sensors: readonly Omit<RecordOptions, 'number'>[]): string | undefined {
  const parsed = sensors.flatMap((options, number) => {
    return parseSensorRecord(createFullRecord({ unit: unit.watts, number, ...options })) ?? [];
  });
  return findHostSensor(parsed)?.name;
}

test('findHostSensor compares names ignoring case, spaces and punctuation', () => {
  for (const name of [
    'Pwr Consumption',
    'System Level',
    'Power Meter',
    'Sys_Power',
    'total-power',
    'POWER_USAGE',
  ])
    assert.equal(find({ name: 'CPU_Power' }, { name }), name);
  assert.equal(find({ name: 'CPU_Total_Power' }, { name: 'PSU1_PIN' }), undefined);
});

test('findHostSensor prefers names in the order of its list, regardless of the order of the sensors', () => {
  assert.equal(find({ name: 'System Power' }, { name: 'Total_Power' }), 'Total_Power');
});

test('findHostSensor finds no sensor of a power supply, and none that is not in watts', () => {
  assert.equal(find({ name: 'Total_Power', entity: [10, 1] }), undefined);
  assert.equal(find({ name: 'System Level', unit: unit.amperes }), undefined);
});
