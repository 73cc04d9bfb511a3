import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../src/testing/until.js';
import { startCollector } from './collector.js';
import { assertDelivered, lastJoules, startMeasuredAgent } from './measured-agent.js';
import { isWithout } from './peers.js';

const skip = isWithout('otelcol');
const outageMs = 30_000;

for (const exporter of ['otlp_grpc', 'otlp_http']) {
  test(
    `nothing is lost or sent twice by ${exporter} when the Collector is killed for 30 s`,
    { skip },
    async (t) => {
      const { written, stop } = await startCollector(t);
      const agent = await startMeasuredAgent(t, {
        exporter,
        receivers: '{process: {collection_interval: 2s}}',
      });
      await until(() => written.points.length > 1000);
      // Points that the Collector has accepted but not yet written are lost with it, and a line that it has
      // begun stays in its file: it is killed when nothing is on the way.
      await agent.settle(() => written.points.length);
      await stop('SIGKILL');
      const before = agent.sent().length;
      await agent.resume();
      await sleep(outageMs);
      const missed = agent.sent().length - before;
      const second = await startCollector(t, { written });
      const outcome = await agent.finish(() => written.points.length);
      await second.stop();
      t.diagnostic(`${missed} of ${agent.sent().length} points were made while the Collector was down`);
      assert.ok(missed > 1000);
      assertDelivered(outcome, exporter, { found: written.points, sent: agent.sent() });
      assert.equal(lastJoules(written.points), agent.meter.joules());
    },
  );
}
