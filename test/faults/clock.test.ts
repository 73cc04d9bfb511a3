import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DecodedPoint } from '../../src/otlp/decode-request.fixture.js';
import { createSteppedClock, noSteppedClock } from '../../src/testing/stepped-clock.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { startCollector } from '../interop/collector.js';
import { assertEnded, lastJoules } from '../interop/measured-agent.js';
import { isWithout, peerPath } from '../interop/peers.js';
import { createRestartedAgent, isOfPackage, isPackage } from './restarted-agent.js';

const skip = isWithout('otelcol');
const skipClock = skip || isWithout('libfaketime');
const stepMs = 30_000;
/** Joules that are used after a step: far more than may be lost by it. */
const restartedJoules = 25;

test('an agent that was stopped by SIGSTOP has no spike and no loss afterwards', { skip }, async (t) => {
  const { written, stop } = await startCollector(t);
  const agent = await createRestartedAgent(t, { exporter: 'otlp_http' });
  await agent.start();
  await until(() => lastJoules(agent.sent()) > 5);
  agent.pause(true);
  await sleep(10_000);
  agent.pause(false);
  const after = agent.meter.joules();
  await until(() => lastJoules(agent.sent()) > after);
  await agent.finish();
  await stop();
  const { lost, doubled, strange } = agent.account('Agent stopped for 10 s (SIGSTOP)', written.points);
  assert.deepEqual([lost, doubled, strange], [[], 0, []]);
  // One counter from the start to the end.
  assert.equal(new Set(written.points.filter(isPackage).map(({ start }) => start)).size, 1);
  assert.equal(lastJoules(written.points), agent.meter.joules());
  assertEnded(await agent.stop());
});

test(
  'an agent whose machine slept ends its series, and neither counts nor attributes the energy used during sleep',
  { skip: skip || noSteppedClock },
  async (t) => {
    const hourSeconds = 3600;
    const { written, stop } = await startCollector(t);
    const clock = createSteppedClock({ seconds: hourSeconds, isSuspend: true });
    const agent = await createRestartedAgent(t, { exporter: 'otlp_http', env: clock.env });
    await agent.start();
    await until(() => lastJoules(agent.sent()) > 5);
    agent.pause(true);
    const known = lastJoules(agent.sent());
    const asleep = agent.meter.joules();
    clock.step();
    await sleep(5000);
    const awake = agent.meter.joules();
    agent.pause(false);
    await until(() => listStarts(agent.sent()).length === 2);
    const seen = agent.meter.joules();
    await until(() => agent.meter.joules() > seen + restartedJoules);
    await agent.finish();
    // The ledger has the last joules when the last window is complete.
    assertEnded(await agent.stop());
    await stop();
    const { lost, doubled, strange } = agent.account('Suspend of 1 h', written.points);
    assert.deepEqual([lost, doubled, strange], [[], 0, []]);
    const measured = sumEnds(written.points.filter(isPackage));
    const [before = 0n, after = 0n] = [...measured.keys()];
    assert.ok(after - before > BigInt(hourSeconds) * 1_000_000_000n, `${after - before} ns`);
    const joules = sum(measured.values());
    t.diagnostic(`${joules} J of ${agent.meter.joules()} J, ${awake - asleep} J of them during the suspend`);
    assert.ok(joules <= agent.meter.joules() - (awake - asleep));
    // No more is unknown than what was used from the last reading to the first one after the wake-up.
    assert.ok(joules >= agent.meter.joules() - (seen - known), `${joules} J, ${seen - known} J unknown`);
    assert.equal(listGaps(written.points)[0], before);
    const ledger = sumLedger(written.points);
    const earlier = readBeforeLedger(written.points);
    assert.ok(
      Math.abs(ledger - (joules - earlier)) < 1e-6,
      `${ledger} J in the ledger, ${earlier} J before it`,
    );
  },
);

/** The starts of the package's counter, in the order of their first points. */
function listStarts(points: readonly DecodedPoint[]): readonly bigint[] {
  return [...new Set(points.filter(isPackage).map(({ start }) => start))];
}

/** The starts of the package's counters, as often as they have a point without a value: at their end, and at a pause. */
function listGaps(points: readonly DecodedPoint[]): readonly bigint[] {
  return points.filter((point) => isOfPackage(point) && point.value === undefined).map(({ start }) => start);
}

/** The last values of counters, summed by their start time. */
function sumEnds(points: readonly DecodedPoint[]): ReadonlyMap<bigint, number> {
  const ends = new Map<string, DecodedPoint>();
  for (const point of points) {
    const key = JSON.stringify([`${point.start}`, point.resource, point.attributes]);
    if (point.value !== undefined && point.time >= (ends.get(key)?.time ?? 0n)) ends.set(key, point);
  }
  const sums = new Map<bigint, number>();
  for (const { start, value } of ends.values()) sums.set(start, (sums.get(start) ?? 0) + Number(value));
  return sums;
}

/** The reading of the package at which the ledger begins: the first, or the second if the meter was slower than they came. */
function readBeforeLedger(points: readonly DecodedPoint[]): number {
  const starts = points.filter(isLedger).map(({ start }) => start);
  const first = starts.reduce((least, start) => (start < least ? start : least));
  return Number(points.find((point) => isPackage(point) && point.time === first)?.value);
}

const isLedger = ({ name, attributes }: DecodedPoint): boolean =>
  name === 'ledger.energy' && attributes['hw.type'] === 'cpu';

function sumLedger(points: readonly DecodedPoint[]): number {
  return sum(sumEnds(points.filter(isLedger)).values());
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}

/** A wall clock that only one program sees. */
interface OwnClock {
  /** Environment variables that the program needs. */
  readonly env: NodeJS.ProcessEnv;
  /** Sets the clock to this offset from the machine's. */
  set(offsetMs: number): void;
}

/** CLOCK_MONOTONIC and CLOCK_BOOTTIME stay those of the machine, as when a user sets the time. */
function createOwnClock(): OwnClock {
  const file = join(createFolder(), 'offset');
  const set = (offsetMs: number) => {
    // The library reads the file on every call, even if it is half written.
    writeFileSync(`${file}.new`, `${offsetMs < 0 ? '-' : '+'}${Math.abs(offsetMs) / 1000}s`);
    renameSync(`${file}.new`, file);
  };
  set(0);
  const env = {
    LD_PRELOAD: peerPath('libfaketime'),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
  return { env, set };
}

for (const direction of [1, -1]) {
  const name = direction > 0 ? 'forward' : 'back';
  test(
    `a clock that is set ${name} by 30 s ends series, and loses only the joules of that interval`,
    { skip: skipClock },
    async (t) => {
      const { written, stop } = await startCollector(t);
      const clock = createOwnClock();
      const agent = await createRestartedAgent(t, { exporter: 'otlp_http', env: clock.env });
      await agent.start();
      await until(() => lastJoules(agent.sent()) > 5);
      const known = lastJoules(agent.sent());
      clock.set(direction * stepMs);
      await until(() => listStarts(agent.sent()).length === 2);
      const seen = agent.meter.joules();
      await until(() => agent.meter.joules() > seen + restartedJoules);
      await agent.finish();
      await stop();
      const { lost, doubled, strange } = agent.account(`Clock set ${name} by 30 s`, written.points);
      assert.deepEqual([lost, doubled, strange], [[], 0, []]);
      const starts = listStarts(written.points);
      const movedMs = Number(((starts[1] ?? 0n) - (starts[0] ?? 0n)) / 1_000_000n) * direction;
      // Includes some seconds of elapsed time.
      assert.ok(movedMs > stepMs - 10_000, `${movedMs} ms`);
      const ends = sumEnds(written.points.filter(isPackage));
      const joules = sum(ends.values());
      t.diagnostic(`${joules} J in ${ends.size} series, the meter ${agent.meter.joules()} J`);
      assert.ok(joules <= agent.meter.joules());
      // No more is missing than what was used from the last reading before the step to the first one after it.
      assert.ok(
        joules >= agent.meter.joules() - (seen - known),
        `${joules} J, ${seen - known} J at the step`,
      );
      assert.equal(listGaps(written.points)[0], starts[0]);
      assertEnded(await agent.stop());
    },
  );
}
