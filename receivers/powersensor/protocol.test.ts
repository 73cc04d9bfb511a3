import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../src/testing/random.fixture.js';
import { createSensors, encodeSensor, encodeSet, fullLevels } from './powersensor.fixture.js';
import { listPairs, parseSensor, SampleDecoder } from './protocol.js';

const sensors = createSensors().map(parseSensor);

function decode(parts: readonly Buffer[]): SampleDecoder {
  const decoder = new SampleDecoder(sensors);
  for (const part of parts) decoder.push(part, part.length);
  return decoder;
}

function isClose(found: number | undefined, expected: number): void {
  assert.ok(
    Math.abs((found ?? NaN) - expected) < 1e-5 * Math.max(1, Math.abs(expected)),
    `${found} is ${expected}`,
  );
}

test('parseSensor and listPairs parse the memory of a device', () => {
  const { name, isUsed, sensitivity } = parseSensor(encodeSensor('GPU slot', 1.65, -0.125));
  assert.deepEqual([name, isUsed, sensitivity], ['GPU slot', true, -0.125]);
  for (const value of [NaN, Infinity])
    assert.throws(() => parseSensor(encodeSensor('GPU', value, 1)), { message: /^expected a sensor as/u });
  assert.throws(() => parseSensor(Buffer.alloc(41, 7)), { message: /used: 7"$/u });
  assert.deepEqual(listPairs(sensors), [{ number: 0, name: 'PCIe' }]);
  const half = [
    encodeSensor('a', 0, 1),
    encodeSensor('a', 0, 1, false),
    encodeSensor('b', 0, 0),
    encodeSensor('b', 0, 1),
  ];
  assert.deepEqual(listPairs(half.map(parseSensor)), []);
});

test("SampleDecoder integrates the power of each set over the device's clock", () => {
  const sets = Array.from({ length: 101 }, (_, i) => encodeSet(1000 + 50 * i, fullLevels));
  const decoder = decode(sets);
  assert.deepEqual([decoder.sets, decoder.micros], [101, 5000]);
  isClose(decoder.joules[0], 120 * 0.005);
  isClose((decoder.watts[0] ?? 0) / 101, 120);
  isClose((decoder.amperes[0] ?? 0) / 101, 10);
  isClose((decoder.volts[0] ?? 0) / 101, 12);
});

test('SampleDecoder decodes a stream split at any byte', () => {
  const stream = Buffer.concat(Array.from({ length: 50 }, (_, i) => encodeSet(50 * i, fullLevels)));
  const pieces = Array.from({ length: Math.ceil(stream.length / 7) }, (_, i) =>
    stream.subarray(7 * i, 7 * i + 7),
  );
  isClose(decode(pieces).joules[0], decode([stream]).joules[0] ?? NaN);
  assert.equal(decode(pieces).sets, 50);
});

test('SampleDecoder skips a set with a lost byte, and counts the next power for its time', () => {
  const [first, second, third] = [0, 50, 100].map((micros) => encodeSet(micros, fullLevels));
  assert.ok(first && second && third);
  for (let lost = 0; lost < second.length; lost++) {
    const damaged = Buffer.concat([second.subarray(0, lost), second.subarray(lost + 1)]);
    const decoder = decode([Buffer.from([0x12, 0x7f]), first, damaged, third]);
    assert.equal(decoder.micros, 100, `byte ${lost}`);
    isClose(decoder.joules[0], 120 * 0.0001);
  }
});

test('SampleDecoder measures current in both directions, and recognizes a marker', () => {
  const levels = [0, 1023, 0, 0, 0, 0, 0, 0];
  const marked = encodeSet(50, levels);
  marked[3] = (marked[3] ?? 0) | 0x40;
  const decoder = decode([encodeSet(0, levels), marked]);
  isClose((decoder.amperes[0] ?? 0) / 2, -10);
  isClose(decoder.joules[0], -120 * 0.00005);
});

test('SampleDecoder rejects garbage, and counts its bytes', () => {
  const { whole } = createRandom(3);
  const garbage = Buffer.from(Array.from({ length: 200_000 }, () => whole(256)));
  const decoder = decode([garbage]);
  assert.deepEqual([decoder.sets, decoder.joules[0]], [0, 0]);
  assert.ok(decoder.rejectedBytes >= garbage.length - 18, `${decoder.rejectedBytes} bytes`);
  const sets = Array.from({ length: 101 }, (_, i) => encodeSet(50 * i, fullLevels));
  const disturbed = decode([...sets.slice(0, 50), garbage, ...sets.slice(50)]);
  isClose(disturbed.joules[0], 120 * 0.005);
  assert.ok(disturbed.rejectedBytes <= garbage.length + 18);
});

test('SampleDecoder rejects packets outside a set, or not in order', () => {
  const set = encodeSet(50, fullLevels);
  const swapped = Buffer.concat([
    set.subarray(0, 2),
    set.subarray(4, 6),
    set.subarray(2, 4),
    set.subarray(6),
  ]);
  const marked = Buffer.from(set).fill(0x40 | (set[5] ?? 0), 5, 6);
  const halves = Buffer.concat([set.subarray(0, 10), encodeSet(150, fullLevels).subarray(10)]);
  for (const damaged of [swapped, marked, set.subarray(2), set.subarray(0, 10)]) {
    const decoder = decode([encodeSet(0, fullLevels), damaged, encodeSet(100, fullLevels)]);
    assert.deepEqual([decoder.sets, decoder.micros, decoder.rejectedBytes], [2, 100, damaged.length]);
    isClose(decoder.joules[0], 120 * 0.0001);
  }
  assert.equal(decode([halves]).sets, 1, 'what is whole and in order cannot be told from a set');
});

test('SampleDecoder adds no time for a damaged timestamp, whichever bit it is', () => {
  for (let damaged = 0; damaged < 1024; damaged++) {
    const times = [0, 50, 100, damaged, 200, 250, 300, 350];
    const decoder = decode(times.map((micros) => encodeSet(micros, fullLevels)));
    assert.equal(decoder.micros, 350, `timestamp ${damaged}`);
    isClose(decoder.joules[0], 120 * 0.00035);
  }
});
