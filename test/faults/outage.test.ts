import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { startCollector } from '../interop/collector.js';
import { assertNothingLost, lastJoules } from '../interop/measured-agent.js';
import { isWithout } from '../interop/peers.js';
import { createRestartedAgent } from './restarted-agent.js';

const skip = isWithout('otelcol');
/** docs/delivery.md uses 300. */
const outageMs = 1000 * Number(process.env['JOULEMETRY_FAULT_OUTAGE'] ?? 10);
const slow = '{process: {collection_interval: 2s}}';

for (const exporter of ['otlp_grpc', 'otlp_http']) {
  test(`${exporter} loses nothing while its backend is down`, { skip }, async (t) => {
    const { written, stop } = await startCollector(t);
    const settings = '{retry_on_failure: {max_elapsed_time: 20m}}';
    const agent = await createRestartedAgent(t, { exporter, receivers: slow, settings });
    await agent.start();
    // Points that the Collector accepted but has not yet written are lost when it is killed, so it is killed
    // between two readings.
    await until(() => written.points.length > 500 && written.points.length === agent.sent().length);
    await stop('SIGKILL');
    const before = agent.sent().length;
    await sleep(outageMs);
    assert.ok(agent.sent().length > before);
    await startCollector(t, { written });
    await agent.rest();
    await until(() => written.points.length >= agent.sent().length);
    assertNothingLost(await agent.stop());
    await until(() => written.points.length >= agent.sent().length);
    const fault = `Backend killed, down for ${outageMs / 1000} s`;
    const { lost, doubled, strange } = await agent.account(fault, () => written.points);
    assert.deepEqual([lost, doubled, strange], [[], 0, []]);
    assert.equal(lastJoules(written.points), agent.meter.joules());
  });

  test(`${exporter} keeps the newest of an outage that is longer than its queue`, { skip }, async (t) => {
    const settings = '{sending_queue: {queue_bytes: 64KiB}, batch: {max_bytes: 16KiB}}';
    const agent = await createRestartedAgent(t, { exporter, settings });
    await agent.start();
    await agent.waitFor(/Lost \d+ points for \S+: the sending queue is full/u);
    await sleep(outageMs / 2);
    const { written } = await startCollector(t);
    await agent.rest();
    await until(() => lastJoules(written.points) === agent.meter.joules());
    const { code, stderr } = await agent.stop();
    assert.equal(code, 0);
    const { lost, doubled, strange } = await agent.account(
      'Outage longer than the queue',
      () => written.points,
    );
    // Every lost point is counted, and totals are right.
    assert.equal(lost.length, countDropped(stderr));
    assert.deepEqual([doubled, strange], [0, []]);
    assert.equal(lastJoules(written.points), agent.meter.joules());
  });

  test(`${exporter} loses nothing to a backend that hangs most of the time`, { skip }, async (t) => {
    const { written, pid } = await startCollector(t);
    const agent = await createRestartedAgent(t, { exporter });
    await agent.start();
    for (let round = 0; round < 3; round++) {
      process.kill(pid, 'SIGSTOP');
      await sleep(3000);
      process.kill(pid, 'SIGCONT');
      await sleep(500);
    }
    await agent.rest();
    await until(() => written.points.length >= agent.sent().length);
    assertNothingLost(await agent.stop());
    await until(() => written.points.length >= agent.sent().length);
    const { lost, strange, doubled } = await agent.account(
      'Slow consumer: stopped for 3 s of 3.5 s',
      () => written.points,
    );
    assert.deepEqual([lost, doubled, strange], [[], 0, []]);
  });

  test(`${exporter} loses nothing and doubles little when both ends are killed`, { skip }, async (t) => {
    const { written, stop } = await startCollector(t);
    const storage = createFolder();
    const agent = await createRestartedAgent(t, { exporter, receivers: slow, storage });
    await agent.start();
    await until(() => written.points.length > 500 && written.points.length === agent.sent().length);
    await stop('SIGKILL');
    const before = agent.sent().length;
    await until(() => agent.sent().length > before + 1000);
    await agent.kill();
    await startCollector(t, { written });
    await agent.start();
    await agent.rest();
    await until(() => written.points.length >= agent.sent().length);
    assertNothingLost(await agent.stop());
    const fault = 'Both killed during an outage and restarted, with `file_storage`';
    const { lost, doubled } = await agent.account(fault, () => written.points);
    assert.deepEqual(lost, []);
    t.diagnostic(`${doubled} points twice`);
  });
}

/** Dropped points according to the agent's log, after its queue was full. */
function countDropped(stderr: string): number {
  const lines = stderr.matchAll(/Lost (\d+) points for \S+: the sending queue is full/gu);
  return [...lines].reduce((sum, [, points]) => sum + Number(points), 0);
}
