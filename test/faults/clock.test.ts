import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../src/testing/until.js';
import { startCollector } from '../interop/collector.js';
import { assertNothingLost, lastJoules } from '../interop/measured-agent.js';
import { isWithout } from '../interop/peers.js';
import { createRestartedAgent, isPackage } from './restarted-agent.js';

const skip = isWithout('otelcol');
/** It sets the time of the whole machine, so it is asked for. */
const skipClock =
  process.env['JOULEMETRY_FAULT_CLOCK'] !== '1' && 'JOULEMETRY_FAULT_CLOCK=1 sets the time of this machine';
const stepMs = 30_000;

test('an agent that was stopped for a while has no spike and no loss afterwards', { skip }, async (t) => {
  const { written } = await startCollector(t);
  const agent = await createRestartedAgent(t, { exporter: 'otlp_http' });
  await agent.start();
  await until(() => lastJoules(agent.sent()) > 5);
  agent.pause(true);
  await sleep(10_000);
  agent.pause(false);
  const after = agent.meter.joules();
  await until(() => lastJoules(agent.sent()) > after);
  await agent.rest();
  await until(() => written.points.length >= agent.sent().length);
  assertNothingLost(await agent.stop());
  await until(() => written.points.length >= agent.sent().length);
  const { lost, doubled, strange } = await agent.account(
    'Agent stopped for 10 s (SIGSTOP)',
    () => written.points,
  );
  assert.deepEqual([lost, doubled, strange], [[], 0, []]);
  // One counter from the start to the end.
  assert.equal(new Set(written.points.filter(isPackage).map(({ start }) => start)).size, 1);
  assert.equal(lastJoules(written.points), agent.meter.joules());
});

/** Moves the wall clock of the machine. */
function stepClock(ms: number): void {
  execFileSync('date', ['--set', new Date(Date.now() + ms).toISOString()], { stdio: 'ignore' });
}

for (const direction of [1, -1]) {
  const name = direction > 0 ? 'forward' : 'back';
  test(
    `a clock that is set ${name} by 30 s ends series, and no joule is lost`,
    { skip: skip || skipClock },
    async (t) => {
      const { written } = await startCollector(t);
      const agent = await createRestartedAgent(t, { exporter: 'otlp_http' });
      await agent.start();
      await until(() => lastJoules(agent.sent()) > 5);
      stepClock(direction * stepMs);
      t.after(() => stepClock(-direction * stepMs));
      await until(
        () =>
          new Set(
            agent
              .sent()
              .filter(isPackage)
              .map(({ start }) => start),
          ).size === 2,
      );
      await sleep(2000);
      agent.meter.rest();
      await sleep(1000);
      assertNothingLost(await agent.stop());
      await until(() => written.points.length >= agent.sent().length);
      const { lost, doubled, strange } = await agent.account(
        `Clock set ${name} by 30 s`,
        () => written.points,
      );
      assert.deepEqual([lost, doubled, strange], [[], 0, []]);
      const largest = new Map<bigint, number>();
      for (const { start, value } of written.points.filter(isPackage)) {
        largest.set(start, Math.max(largest.get(start) ?? 0, Number(value ?? 0)));
      }
      const joules = [...largest.values()].reduce((sum, value) => sum + value, 0);
      t.diagnostic(`${joules} J in ${largest.size} series, the meter ${agent.meter.joules()} J`);
      assert.ok(joules <= agent.meter.joules());
    },
  );
}
