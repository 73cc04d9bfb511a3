import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { until } from '../../src/contract/until.js';
import { startCollector } from './collector.js';
import { lastJoules, startMeasuredAgent } from './measured-agent.js';
import { isWithout } from './peers.js';
import { assertSamePoints, pointsOf } from './points.js';

const skip = isWithout('otelcol');

for (const exporter of ['otlp_grpc', 'otlp_http']) {
  test(`the Collector writes what the agent sent by ${exporter}, point by point`, { skip }, async (t) => {
    const collector = await startCollector(t);
    const agent = await startMeasuredAgent(t, { exporter });
    const shortLived = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 2500)']);
    await until(() => shortLived.exitCode !== null && agent.meter.joules() > 25);
    assert.equal((await agent.finish()).code, 0);
    await until(() => pointsOf(collector.requests()).length >= agent.sent().length);
    const written = pointsOf(collector.requests());
    t.diagnostic(`${written.length} points`);
    assertSamePoints(written, agent.sent());
    assert.equal(lastJoules(written), agent.meter.joules());
    const names = new Set(written.map(({ name }) => name));
    for (const name of [
      'hw.energy',
      'ledger.energy',
      'process.energy',
      'process.cpu.time',
      'system.cpu.time',
    ]) {
      assert.ok(names.has(name), `${name} is missing`);
    }
    const sums = written.filter(({ kind }) => kind === 'sum 2 true');
    assert.ok(sums.every(({ start, time }) => start > 0n && start <= time));
    const ended = written.filter(({ resource }) => resource['process.pid'] === `int ${shortLived.pid}`);
    assert.ok(
      ended.some(({ flags, value }) => flags === 1 && value === undefined),
      'the end of a process is missing',
    );
  });
}
