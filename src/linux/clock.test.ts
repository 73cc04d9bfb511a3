import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWallClock, WallAnchor } from './clock.js';
import { createSteadyRead, readClocks, wallOffsetNs, type ClockReading } from './clocks.js';

const ms = 1_000_000n;
const second = 1000n * ms;

interface Offsets {
  readonly realtime: bigint;
  readonly boottime?: bigint;
  /** How long it took to read the clocks. */
  readonly width?: bigint;
}

/** The clocks at a monotonic instant, the others ahead of it by these offsets. */
function readingAt(at: bigint, { realtime, boottime = 0n, width = 0n }: Offsets): ClockReading {
  return {
    beforeNs: at,
    realtimeNs: at + width / 2n + realtime,
    boottimeNs: at + width / 2n + boottime,
    afterNs: at + width,
  };
}

test('WallAnchor gives Unix time at monotonic instants', () => {
  const anchor = new WallAnchor(readingAt(0n, { realtime: 1000n * second }));
  assert.equal(anchor.wallNs(7n), 1000n * second + 7n);
  assert.equal(anchor.isConstant, true);
});

test('WallAnchor stays as it is, when the clocks agree as far as they can be read', () => {
  const anchor = new WallAnchor(readingAt(0n, { realtime: 1000n * second }));
  assert.equal(anchor.update(readingAt(second, { realtime: 1000n * second + ms, width: 4n * ms })), 'same');
  assert.equal(anchor.update(readingAt(second, { realtime: 1000n * second + 9_000n })), 'same');
  assert.equal(anchor.isConstant, true);
  assert.equal(anchor.wallNs(3n * second), 1003n * second);
});

test('WallAnchor follows a clock that was set by 50 ms within 10 s', () => {
  const anchor = new WallAnchor(readingAt(0n, { realtime: 1000n * second }));
  assert.equal(anchor.update(readingAt(second, { realtime: 1000n * second + 50n * ms })), 'same');
  assert.equal(anchor.isConstant, false);
  assert.equal(anchor.wallNs(second), 1001n * second);
  assert.equal(anchor.wallNs(2n * second), 1002n * second + 5n * ms);
  assert.equal(anchor.wallNs(11n * second), 1011n * second + 50n * ms);
  assert.equal(anchor.wallNs(20n * second), 1020n * second + 50n * ms);
});

test('WallAnchor never runs backwards, when the clock was set back by 50 ms', () => {
  const anchor = new WallAnchor(readingAt(0n, { realtime: 1000n * second }));
  const clocksAt = (at: bigint) => readingAt(at, { realtime: 1000n * second - 50n * ms });
  assert.equal(anchor.update(clocksAt(second)), 'same');
  let last = anchor.wallNs(second);
  for (let at = second; at < 15n * second; at += 20n * ms) {
    for (const instant of [at, at + 20_000n, at + 40_000n]) {
      const wall = anchor.wallNs(instant);
      assert.ok(wall > last || instant === second, `${wall} after ${last}`);
      last = wall;
    }
    assert.equal(anchor.update(clocksAt(at + 40_000n)), 'same');
  }
  assert.equal(anchor.wallNs(20n * second), 1020n * second - 50n * ms);
});

test('WallAnchor takes the new time at once, when the clock was set by more', () => {
  const anchor = new WallAnchor(readingAt(0n, { realtime: 1000n * second }));
  assert.equal(anchor.update(readingAt(second, { realtime: 999n * second })), 'stepped');
  assert.equal(anchor.wallNs(second), 1000n * second);
  assert.equal(anchor.update(readingAt(2n * second, { realtime: 999n * second })), 'same');
});

test('WallAnchor notices that the machine slept', () => {
  const anchor = new WallAnchor(readingAt(0n, { realtime: 1000n * second, boottime: 5n * second }));
  const later = { realtime: 1060n * second, boottime: 65n * second };
  assert.equal(anchor.update(readingAt(second, later)), 'suspended');
  assert.equal(anchor.wallNs(second), 1061n * second);
  assert.equal(anchor.update(readingAt(2n * second, later)), 'same');
});

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

test('countBreaks changes exactly when the wall clock was stepped or the machine slept', () => {
  let moved: Partial<ClockReading> = {};
  const clock = createWallClock(() => ({ ...readClocks(), ...moved }));
  const first = clock.countBreaks();
  assert.equal(clock.countBreaks(), first);

  const hourNs = 3_600_000_000_000n;
  moved = { realtimeNs: readClocks().realtimeNs + hourNs };
  const later = clock.countBreaks();
  assert.notEqual(later, first);
  assert.ok(clock.wallNs() > BigInt(Date.now()) * 1_000_000n + hourNs / 2n);

  const { realtimeNs, boottimeNs } = readClocks();
  moved = { realtimeNs: realtimeNs + hourNs, boottimeNs: boottimeNs + hourNs };
  assert.notEqual(clock.countBreaks(), later);
});

test('createWallClock on steady readings is not moved by a clock that is set, and notices sleep', () => {
  let moved: Partial<ClockReading> = {};
  const offsetNs = wallOffsetNs(readClocks());
  const clock = createWallClock(createSteadyRead(offsetNs, () => ({ ...readClocks(), ...moved })));
  const first = clock.countBreaks();
  moved = { realtimeNs: readClocks().realtimeNs - 3_600_000_000_000n };
  assert.equal(clock.countBreaks(), first);
  assert.ok(clock.wallNs() - clock.monotonicNs() <= offsetNs);
  assert.ok(clock.wallNs() > BigInt(Date.now()) * 1_000_000n - 60_000_000_000n);
  moved = { boottimeNs: readClocks().boottimeNs + 3_600_000_000_000n };
  assert.notEqual(clock.countBreaks(), first);
});
