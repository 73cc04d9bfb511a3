import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCompactRecord, createFullRecord, unit, type RecordOptions } from './fake-bmc.fixture.js';
import { listSensors, parseSensorRecord } from './sensor-record.js';

function parseUnit(options: Partial<RecordOptions>) {
  const analog = parseSensorRecord(createFullRecord({ number: 1, name: 'x', ...options }))?.analog;
  return analog && [analog.quantity, analog.offset, analog.scale];
}

test('parseSensorRecord reads a full record', () => {
  const record = createFullRecord({
    number: 0x77,
    name: 'Pwr Consumption',
    units1: 0x80,
    unit: unit.watts,
    m: 14,
    b: -3,
    k1: 1,
    k2: -1,
  });
  assert.deepEqual(parseSensorRecord(record), {
    controller: { address: 0x20, channel: 0, lun: 0 },
    number: 0x77,
    entityId: 7,
    entityInstance: 1,
    name: 'Pwr Consumption',
    analog: {
      quantity: 'power',
      format: 'twos_complement',
      linearization: 0,
      factors: { m: 14, b: -3, k1: 1, k2: -1 },
      offset: 0,
      scale: 1,
    },
  });
});

test('parseSensorRecord reads the status of a power supply in a compact record, and no other compact record', () => {
  const status = {
    number: 5,
    name: 'PS1 Status',
    entity: [10, 0x61],
    sensorType: 8,
    eventType: 0x6f,
  } as const;
  const sensor = parseSensorRecord(createCompactRecord(status));
  assert.deepEqual([sensor?.name, sensor?.entityInstance, sensor?.analog], ['PS1 Status', 1, undefined]);
  assert.equal(parseSensorRecord(createCompactRecord({ ...status, sensorType: 7 })), undefined);
  assert.equal(parseSensorRecord(createCompactRecord({ ...status, eventType: 0x0b })), undefined);
});

test('listSensors lists the sensors that share a compact record, as ipmi-sensors --shared-sensors does', () => {
  const status = {
    number: 0x60,
    name: 'PS Status ',
    entity: [10, 1],
    sensorType: 8,
    eventType: 0x6f,
  } as const;
  const list = (sharing: number, modifier: number) => {
    const record = createCompactRecord(status);
    record.set([sharing, modifier], 23);
    return listSensors(record).map(({ name, number, entityInstance }) => [name, number, entityInstance]);
  };
  const first = ['PS Status', 0x60, 1];
  assert.deepEqual(list(0x02, 0x81), [
    ['PS Status1', 0x60, 1],
    ['PS Status2', 0x61, 2],
  ]);
  assert.deepEqual(list(0x12, 0x80), [
    ['PS StatusA', 0x60, 1],
    ['PS StatusB', 0x61, 2],
  ]);
  assert.deepEqual(list(0x02, 0x01), [first], 'all of one power supply');
  assert.deepEqual([list(0x01, 0x80), list(0, 0)], [[first], [first]]);
  assert.deepEqual(listSensors(createCompactRecord({ ...status, sensorType: 7 })), []);
});

test('parseSensorRecord ignores sensors that are owned by software', () => {
  const options = { number: 1, name: 'OS power', unit: unit.watts };
  assert.equal(parseSensorRecord(createFullRecord({ ...options, owner: 0x41 })), undefined);
  assert.equal(parseSensorRecord(createFullRecord({ ...options, owner: 0x40 }))?.controller.address, 0x40);
});

test('parseSensorRecord converts units to those of the model', () => {
  assert.deepEqual(parseUnit({ unit: 2 }), ['temperature', -32, 5 / 9], 'degrees Fahrenheit');
  assert.deepEqual(parseUnit({ unit: 3 }), ['temperature', -273.15, 1], 'kelvins');
  assert.deepEqual(parseUnit({ unit: unit.joules, units1: 3 << 3 }), ['power', 0, 1], 'joules per second');
  assert.deepEqual(
    parseUnit({ unit: unit.joules, units1: 5 << 3 }),
    ['power', 0, 1 / 3600],
    'joules per hour',
  );
  assert.deepEqual(parseUnit({ sensorType: 4, units1: 1 }), ['fan_speed_ratio', 0, 0.01], 'percent');
});

test('parseSensorRecord ignores units with a modifier, other quantities and sensors that are not analog', () => {
  assert.equal(parseUnit({ unit: unit.watts, units1: 2 }), undefined, 'watts per something');
  assert.equal(parseUnit({ unit: unit.volts, units1: 3 << 3 }), undefined, 'volts per second');
  assert.equal(parseUnit({ unit: 17 }), undefined, 'cubic feet per minute');
  assert.equal(parseUnit({ sensorType: 0x0b, units1: 1 }), undefined, 'a percentage of something');
  assert.equal(parseUnit({ unit: unit.watts, units1: 0xc0 }), undefined);
});

const nameOf = (code: number, ...bytes: number[]) => {
  const record = createFullRecord({ number: 1, name: 'x'.repeat(bytes.length), unit: unit.watts });
  record[47] = code | bytes.length;
  record.set(bytes, 48);
  return parseSensorRecord(record)?.name;
};

test('parseSensorRecord decodes names in every encoding', () => {
  assert.equal(nameOf(0x40, 0x12, 0xab, 0xc3), '12 -.3');
  assert.equal(nameOf(0x80, 0x29, 0xdc, 0xa6), 'IPMI');
  assert.equal(nameOf(0xc0, 0x50, 0x53, 0x31, 0, 0x78), 'PS1');
});

test('parseSensorRecord rejects truncated records', () => {
  const whole = createFullRecord({ number: 1, name: 'PS1 Input Power', unit: unit.watts });
  for (let length = 0; length < 48; length++) {
    const cut = parseSensorRecord(whole.subarray(0, length));
    assert.ok(cut === undefined || length === 48, `${length} bytes`);
  }
});
