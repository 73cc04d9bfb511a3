import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { startCollector } from '../interop/collector.js';
import { assertEnded, lastJoules } from '../interop/measured-agent.js';
import { OutputFile } from '../interop/output-file.js';
import { isWithout } from '../interop/peers.js';
import { textOf } from '../interop/points.js';
import { outageMs } from './cells.js';
import { createRestartedAgent, findStorage, queues } from './restarted-agent.js';

const skip = isWithout('otelcol');
const slow = '{process: {collection_interval: 2s}}';
/** A request of the default size has at most this many points. */
const maxPoints = 8192;

for (const queue of queues) {
  const { name, exporter, suffix, retries } = queue;
  test(`${name} loses nothing while its backend is down`, { skip }, async (t) => {
    const first = await startCollector(t);
    const { written } = first;
    const settings = `{${retries}}`;
    const storage = findStorage(queue);
    const agent = await createRestartedAgent(t, { exporter, receivers: slow, settings, storage });
    await agent.start();
    await until(() => written.points.length > 500);
    // Points that the Collector has accepted but not yet written are lost with it: it has written everything.
    await agent.settle();
    await until(() => written.points.length >= agent.sent().length);
    await first.stop('SIGKILL');
    const before = agent.sent().length;
    await agent.resume();
    await sleep(outageMs);
    assert.ok(agent.sent().length > before);
    const second = await startCollector(t, { written });
    await agent.finish();
    await second.stop();
    const fault = `Backend killed, down for ${outageMs / 1000} s${suffix}`;
    const { lost, doubled, strange } = agent.account(fault, written.points);
    assert.deepEqual([lost, doubled, strange], [[], 0, []]);
    assert.equal(lastJoules(written.points), agent.meter.joules());
    assertEnded(await agent.stop());
  });

  test(`${name} keeps the newest of an outage that is longer than its queue`, { skip }, async (t) => {
    const settings = '{sending_queue: {queue_bytes: 64KiB}, batch: {max_bytes: 16KiB}}';
    const agent = await createRestartedAgent(t, { exporter, settings, storage: findStorage(queue) });
    await agent.start();
    await agent.waitFor(/Lost \d+ points for \S+: the sending queue is full/u);
    await sleep(outageMs / 2);
    const { written, stop } = await startCollector(t);
    await agent.finish();
    await stop();
    const { lost, doubled, strange } = agent.account(`Outage longer than the queue${suffix}`, written.points);
    // Every lost point is counted.
    assert.deepEqual(await agent.countDropped(), { queue_full: lost.length });
    assert.deepEqual([doubled, strange], [0, []]);
    assert.equal((await agent.stop()).code, 0);
  });

  test(`${name} loses nothing to a backend that hangs most of the time`, { skip }, async (t) => {
    const { written, pid, stop } = await startCollector(t);
    const agent = await createRestartedAgent(t, { exporter, storage: findStorage(queue) });
    await agent.start();
    for (let round = 0; round < 3; round++) {
      process.kill(pid, 'SIGSTOP');
      await sleep(3000);
      process.kill(pid, 'SIGCONT');
      await sleep(500);
    }
    await agent.finish();
    await stop();
    const { lost, strange, doubled } = agent.account(
      `Slow consumer: stopped for 3 s of 3.5 s${suffix}`,
      written.points,
    );
    assert.deepEqual([lost, doubled, strange], [[], 0, []]);
    assertEnded(await agent.stop());
  });
}

for (const exporter of ['otlp_grpc', 'otlp_http']) {
  test(`${exporter} loses nothing and doubles little when both ends are killed`, { skip }, async (t) => {
    const first = await startCollector(t);
    const { written } = first;
    const storage = createFolder();
    const agent = await createRestartedAgent(t, { exporter, receivers: slow, storage });
    await agent.start();
    await until(() => written.points.length > 500);
    await agent.settle();
    await until(() => written.points.length >= agent.sent().length);
    await first.stop('SIGKILL');
    const before = agent.sent().length;
    await agent.resume();
    await until(() => agent.sent().length > before + 1000);
    await agent.kill();
    const second = await startCollector(t, { written });
    await agent.start();
    await agent.finish();
    await second.stop();
    const fault = 'Both killed during an outage and restarted, with `file_storage`';
    const { lost, doubled, strange } = agent.account(fault, written.points);
    assert.deepEqual([lost, strange], [[], []]);
    assert.ok(doubled <= maxPoints, `${doubled} twice`);
    assertEnded(await agent.stop());
  });

  test(`${exporter} does not repeat what its backend confirmed before it was killed`, { skip }, async (t) => {
    const over = 'exporters: {file: {flush_interval: 1h}}';
    const first = await startCollector(t, { over });
    const agent = await createRestartedAgent(t, { exporter, receivers: slow });
    await agent.start();
    await until(() => agent.sent().length > 500);
    await agent.settle();
    const confirmed = new Set(agent.sent().map(textOf));
    await first.stop('SIGKILL');
    await agent.resume();
    await until(() => agent.sent().length > confirmed.size + 500);
    const second = await startCollector(t, { written: new OutputFile() });
    await agent.finish();
    await second.stop();
    const { lost, doubled, strange } = agent.account(
      'Backend killed with points that it had confirmed and not stored',
      [...first.written.points, ...second.written.points],
    );
    assert.deepEqual([doubled, strange], [0, []]);
    assert.ok(lost.length > 0 && lost.every((point) => confirmed.has(point)), `${lost.length} lost`);
    assert.deepEqual(await agent.countDropped(), {});
    assert.equal(lastJoules(second.written.points), agent.meter.joules());
    assertEnded(await agent.stop());
  });
}

test('otlp_http loses resolution in an outage that is longer than max_elapsed_time', { skip }, async (t) => {
  const settings = '{retry_on_failure: {max_elapsed_time: 2s}}';
  const agent = await createRestartedAgent(t, { exporter: 'otlp_http', receivers: slow, settings });
  await agent.start();
  await agent.waitFor(/Lost \d+ points for \S+: retry_on_failure.max_elapsed_time has passed/u);
  const { written, stop } = await startCollector(t);
  agent.meter.rest();
  await until(() => lastJoules(written.points) === agent.meter.joules());
  await agent.finish();
  await stop();
  const fault = 'Outage longer than `max_elapsed_time`';
  const { lost, doubled, strange } = agent.account(fault, written.points);
  assert.deepEqual(await agent.countDropped(), { retries_exhausted: lost.length });
  assert.deepEqual([doubled, strange], [0, []]);
  assert.equal((await agent.stop()).code, 0);
});
