import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSensors, type EnergySensor } from './energy-sensor.js';
import type { Fault } from './fault.js';
import { createMachine } from './machine.js';
import { createSpec, type MachineSpec } from './machine-spec.js';

const second = 1_000_000;

function open(wanted: Partial<MachineSpec>) {
  const machine = createMachine(createSpec(wanted));
  const [sensor] = createSensors(machine);
  assert.ok(sensor);
  return { machine, sensor };
}

const fault = (kind: Fault['kind'], at: number, duration = 0): Pick<MachineSpec, 'faults'> => ({
  faults: [{ kind, atUs: at * second, forUs: duration * second }],
});

const read = (sensor: EnergySensor, seconds: number) => sensor.readText(seconds * second);

test('EnergySensor shows whole units of 61,035 nJ as microjoules, at the last refresh', () => {
  const { machine, sensor } = open({});
  const [before, after] = [sensor.microjoules(0), sensor.microjoules(2.0005 * second)];
  const units = machine.energyNj(0, 2 * second) / 61_035n;
  assert.ok(Math.abs(Number(after - before) - Number((units * 61_035n) / 1000n)) <= 1);
  assert.equal(sensor.maxMicrojoules, 262_143_328_850);
});

test('EnergySensor wraps at the stated instant', () => {
  const { sensor } = open(fault('wrap', 2));
  assert.ok(Number(sensor.microjoules(1.999 * second)) > 262_143_000_000);
  assert.ok(Number(sensor.microjoules(2 * second)) < 62);
});

test('EnergySensor begins at 0 at a reset, and when the machine wakes up', () => {
  for (const faults of [fault('reset', 2), fault('suspend', 1, 1)]) {
    const { sensor } = open(faults);
    assert.ok(Number(sensor.microjoules(0.999 * second)) > 1_000_000_000);
    assert.ok(Number(sensor.microjoules(2.01 * second)) < 10_000_000);
  }
});

test('EnergySensor gives a part of the text, nothing or an error, for as long as a fault lasts', () => {
  const torn = open(fault('torn', 1, 1)).sensor;
  const text = `${torn.microjoules(1.5 * second)}\n`;
  const part = read(torn, 1.5) ?? assert.fail();
  assert.ok(part.length > 0 && part.length < text.length && text.startsWith(part));
  assert.equal(read(open(fault('empty', 1, 1)).sensor, 1.5), '');
  assert.equal(read(open(fault('failed', 1, 1)).sensor, 1.5), undefined);
  assert.equal(open(fault('failed', 1, 1)).sensor.read(new Uint8Array(32), 1.5 * second), -1);
  assert.match(read(torn, 0.999) ?? '', /^\d+\n$/);
  assert.match(read(torn, 2) ?? '', /^\d+\n$/);
});

test('EnergySensor has the stated share of faults by chance, the same at each look', () => {
  const { sensor } = open({ faultShares: { torn: 0, failed: 0.1, empty: 0.2 } });
  const look = () => Array.from({ length: 5_000 }, (_, i) => sensor.readText(i * 997));
  const texts = look();
  assert.deepEqual(look(), texts);
  const share = (wanted: string | undefined) => texts.filter((text) => text === wanted).length / 5_000;
  assert.ok(Math.abs(share(undefined) - 0.1) < 0.02);
  assert.ok(Math.abs(share('') - 0.2) < 0.02);
});

test('EnergySensor does not change while it is dead or slow, and knows which energy it shows', () => {
  const dead = open(fault('dead', 1, 2)).sensor;
  assert.deepEqual(
    [1.5, 2.999, 3].map((s) => dead.shownUs(s * second) / second),
    [1, 1, 3],
  );
  const slow = open(fault('slow', 1, 12)).sensor;
  assert.deepEqual(
    [1, 5.9, 6, 12.9, 13].map((s) => slow.shownUs(s * second) / second),
    [1, 1, 6, 11, 13],
  );
});

test('EnergySensor refreshes late by chance, but in order and never early', () => {
  const { sensor } = open({ jitter: 1 });
  const shown = Array.from({ length: 20_000 }, (_, i) => sensor.shownUs(i * 50));
  assert.ok(shown.every((us, i) => us <= i * 50 && us > i * 50 - 2_000));
  assert.ok(shown.every((us, i) => i === 0 || us >= (shown[i - 1] ?? 0)));
  assert.ok(shown.some((us) => us % 1000 > 500));
});

test('EnergySensor that is dead for long still shows what its machine has forgotten', () => {
  const { machine, sensor } = open(fault('dead', 1, 1_000));
  const before = sensor.microjoules(1 * second);
  for (let s = 2; s < 400; s++) machine.advance(s * second);
  assert.equal(sensor.microjoules(400 * second), before);
  assert.equal(sensor.shownNj(400 * second), createMachine(createSpec()).energyNj(0, second));
});
