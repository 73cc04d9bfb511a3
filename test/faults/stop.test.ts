import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { startCollector } from '../interop/collector.js';
import { assertEnded, countLate } from '../interop/measured-agent.js';
import { isWithout } from '../interop/peers.js';
import { createRestartedAgent } from './restarted-agent.js';

const skip = isWithout('otelcol');

for (const exporter of ['otlp_grpc', 'otlp_http']) {
  test(`${exporter} counts what it cannot deliver at a shutdown during an outage`, async (t) => {
    const agent = await createRestartedAgent(t, { exporter });
    await agent.start();
    await until(() => agent.sent().length > 2000);
    const outcome = await agent.stop();
    assertEnded(outcome);
    const fault = 'Agent stopped in an outage (SIGTERM), queue in memory';
    const { sent, lost } = agent.account(fault, []);
    // On a slow machine, the other backend lacks some points, too.
    const late = countLate(outcome.stderr, 'otlp_http/witness');
    assert.deepEqual([lost.length, countLate(outcome.stderr, exporter)], [sent, sent + late]);
  });

  test(`${exporter} delivers after the next start what is stored at a shutdown`, { skip }, async (t) => {
    const agent = await createRestartedAgent(t, { exporter, storage: createFolder() });
    await agent.start();
    await until(() => agent.sent().length > 2000);
    assertEnded(await agent.stop());
    const { written, stop } = await startCollector(t);
    await agent.start();
    await agent.finish();
    await stop();
    const fault = 'Agent stopped in an outage (SIGTERM), with `file_storage`';
    const { lost, doubled } = agent.account(fault, written.points);
    assert.deepEqual([lost, doubled], [[], 0]);
    assertEnded(await agent.stop());
  });
}
