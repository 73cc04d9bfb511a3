import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSteadyRead, readClocks, wallOffsetNs, type ClockReading } from './clocks.js';
import { createWallClock } from './wall-clock.js';

test('createWallClock gives the time of this machine', () => {
  const clock = createWallClock();
  const before = BigInt(Date.now()) * 1_000_000n;
  const wall = clock.wallNs();
  // A millisecond for the resolution of Date.now, and one for what the clocks are read apart.
  assert.ok(
    wall >= before - 1_000_000n && wall <= BigInt(Date.now() + 2) * 1_000_000n,
    `${wall - before} ns`,
  );
  assert.ok(clock.wallNs() >= wall);
  assert.ok(process.hrtime.bigint() - clock.monotonicNs() < 1_000_000_000n);
});

test('checkEra changes exactly when the wall clock was stepped or the machine slept', () => {
  let moved: Partial<ClockReading> = {};
  const clock = createWallClock(() => ({ ...readClocks(), ...moved }));
  const first = clock.checkEra();
  assert.equal(clock.checkEra(), first);

  const hourNs = 3_600_000_000_000n;
  moved = { realtimeNs: readClocks().realtimeNs + hourNs };
  const second = clock.checkEra();
  assert.notEqual(second, first);
  assert.ok(clock.wallNs() > BigInt(Date.now()) * 1_000_000n + hourNs / 2n);

  const { realtimeNs, boottimeNs } = readClocks();
  moved = { realtimeNs: realtimeNs + hourNs, boottimeNs: boottimeNs + hourNs };
  assert.notEqual(clock.checkEra(), second);
});

test('createWallClock on steady readings is not moved by a clock that is set, and notices sleep', () => {
  let moved: Partial<ClockReading> = {};
  const offsetNs = wallOffsetNs(readClocks());
  const clock = createWallClock(createSteadyRead(offsetNs, () => ({ ...readClocks(), ...moved })));
  const first = clock.checkEra();
  moved = { realtimeNs: readClocks().realtimeNs - 3_600_000_000_000n };
  assert.equal(clock.checkEra(), first);
  assert.ok(clock.wallNs() - clock.monotonicNs() <= offsetNs);
  assert.ok(clock.wallNs() > BigInt(Date.now()) * 1_000_000n - 60_000_000_000n);
  moved = { boottimeNs: readClocks().boottimeNs + 3_600_000_000_000n };
  assert.notEqual(clock.checkEra(), first);
});
