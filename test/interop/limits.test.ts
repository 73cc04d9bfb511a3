import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { until } from '../../src/testing/until.js';
import { startCollector } from './collector.js';
import { assertDelivered, startMeasuredAgent } from './measured-agent.js';
import { isWithout } from './peers.js';

const skip = isWithout('otelcol');
const mebibyte = 2 ** 20;
/** Makes the resource of a process about 4 KiB long: `sleep` sums its arguments. */
const longArguments = ' 0'.repeat(2000);
const seldom = '{process: {collection_interval: 5s, command_line: true}}';

/** Processes that sleep until the test ends. */
function startSleepers(t: TestContext, count: number, more = ''): void {
  const script = `i=0; while [ $i -lt ${count} ]; do sleep 1000${more} & i=$((i + 1)); done; wait`;
  const shell = spawn('sh', ['-c', script], { detached: true, stdio: 'ignore' });
  t.after(() => process.kill(-(shell.pid ?? 0), 'SIGKILL'));
}

test('the Collector takes a request of 200 resources', { skip }, async (t) => {
  startSleepers(t, 200);
  const { written, stop } = await startCollector(t);
  const agent = await startMeasuredAgent(t, { exporter: 'otlp_grpc', processLimit: 0 });
  await until(() => written.resourceCounts.some((count) => count >= 200));
  const outcome = await agent.finish(() => written.points.length);
  await stop();
  t.diagnostic(`${Math.max(...written.resourceCounts)} resources in one request`);
  assertDelivered(outcome, 'otlp_grpc', { found: written.points, sent: agent.sent() });
});

for (const exporter of ['otlp_grpc', 'otlp_http']) {
  test(`${exporter} splits a scan of 4 MB so that a Collector takes it`, { skip }, async (t) => {
    startSleepers(t, 800, longArguments);
    const { written, stop } = await startCollector(t);
    const agent = await startMeasuredAgent(t, { exporter, receivers: seldom, processLimit: 0 });
    await until(() => agent.requestBytes().some((bytes) => bytes > 3 * mebibyte));
    const outcome = await agent.finish(() => written.points.length);
    await stop();
    const longest = Math.max(...agent.requestBytes());
    t.diagnostic(`the longest of ${agent.requestBytes().length} requests had ${longest} bytes`);
    assert.ok(longest <= 3.5 * mebibyte);
    assertDelivered(outcome, exporter, { found: written.points, sent: agent.sent() });
  });
}

const lowLimits = {
  otlp_grpc: 'grpc: {max_recv_msg_size_mib: 1}',
  otlp_http: `http: {max_request_body_size: ${mebibyte}}`,
};

for (const [exporter, limit] of Object.entries(lowLimits)) {
  test(
    `${exporter} halves requests that are too long for a Collector, and loses nothing`,
    { skip },
    async (t) => {
      startSleepers(t, 500, longArguments);
      const { written, stop } = await startCollector(t, {
        over: `receivers: {otlp: {protocols: {${limit}}}}`,
      });
      const agent = await startMeasuredAgent(t, { exporter, receivers: seldom, processLimit: 0 });
      await until(() => agent.requestBytes().some((bytes) => bytes > 2 * mebibyte));
      const outcome = await agent.finish(() => written.points.length);
      await stop();
      assertDelivered(outcome, exporter, { found: written.points, sent: agent.sent() });
    },
  );

  test(
    `${exporter} loses nothing with a lower limit of the Collector that batch.max_bytes respects`,
    { skip },
    async (t) => {
      startSleepers(t, 500, longArguments);
      const { written, stop } = await startCollector(t, {
        over: `receivers: {otlp: {protocols: {${limit}}}}`,
      });
      const settings = '{batch: {max_bytes: 900KiB}}';
      const agent = await startMeasuredAgent(t, { exporter, settings, receivers: seldom, processLimit: 0 });
      await until(() => agent.requestBytes().some((bytes) => bytes > 2 * mebibyte));
      const outcome = await agent.finish(() => written.points.length);
      await stop();
      assertDelivered(outcome, exporter, { found: written.points, sent: agent.sent() });
    },
  );
}
