import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { until } from '../../src/testing/until.js';
import { startCollector } from './collector.js';
import { assertDelivered, lastJoules, startMeasuredAgent } from './measured-agent.js';
import { isWithout } from './peers.js';

const skip = isWithout('otelcol');

for (const exporter of ['otlp_grpc', 'otlp_http']) {
  test(
    `the Collector writes the points that the agent sent by ${exporter}, point by point`,
    { skip },
    async (t) => {
      const { written, stop } = await startCollector(t);
      const agent = await startMeasuredAgent(t, { exporter });
      const shortLived = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 2500)']);
      await until(() => shortLived.exitCode !== null && agent.meter.joules() > 25);
      const outcome = await agent.finish(() => written.points.length);
      await stop();
      t.diagnostic(`${written.points.length} points`);
      assertDelivered(outcome, exporter, { found: written.points, sent: agent.sent() });
      assert.equal(lastJoules(written.points), agent.meter.joules());
      const names = new Set(written.points.map(({ name }) => name));
      for (const name of [
        'hw.energy',
        'ledger.energy',
        'process.energy',
        'process.cpu.time',
        'system.cpu.time',
      ]) {
        assert.ok(names.has(name), `${name} is missing`);
      }
      const sums = written.points.filter(({ kind }) => kind === 'sum 2 true');
      assert.ok(sums.every(({ start, time }) => start > 0n && start <= time));
      const ended = written.points.filter(
        ({ resource }) => resource['process.pid'] === `int ${shortLived.pid}`,
      );
      assert.ok(
        ended.some(({ flags, value }) => flags === 1 && value === undefined),
        'the end of a process is missing',
      );
    },
  );
}
