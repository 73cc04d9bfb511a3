import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { startCollector } from '../interop/collector.js';
import { assertEnded } from '../interop/measured-agent.js';
import { isWithout } from '../interop/peers.js';
import { createRestartedAgent } from './restarted-agent.js';

const skip = isWithout('otelcol');
/** A request of the default size has at most this many points. */
const maxPoints = 8192;

for (const exporter of ['otlp_grpc', 'otlp_http']) {
  test(
    `${exporter} delivers after a restart the points that a killed agent had stored during an outage`,
    { skip },
    async (t) => {
      const agent = await createRestartedAgent(t, { exporter, storage: createFolder() });
      await agent.start();
      await until(() => agent.sent().length > 2000);
      await agent.kill();
      await agent.start();
      const { written, stop } = await startCollector(t);
      await agent.finish();
      await stop();
      const fault = 'Agent killed in an outage, with `file_storage`';
      const { lost, doubled, strange } = agent.account(fault, written.points);
      assert.deepEqual([lost, strange], [[], []]);
      assert.ok(doubled <= maxPoints, `${doubled} twice`);
      assertEnded(await agent.stop());
    },
  );

  test(
    `${exporter} loses the points queued in memory when the agent is killed during an outage`,
    { skip },
    async (t) => {
      const agent = await createRestartedAgent(t, { exporter });
      await agent.start();
      await until(() => agent.sent().length > 2000);
      await agent.kill();
      await agent.start();
      const { written, stop } = await startCollector(t);
      await agent.finish();
      await stop();
      const fault = 'Agent killed in an outage, queue in memory';
      const { sent, lost, doubled, strange } = agent.account(fault, written.points);
      assert.ok(lost.length > 1000, `${lost.length} of ${sent}`);
      assert.deepEqual([doubled, strange], [0, []]);
      assertEnded(await agent.stop());
    },
  );

  test(`${exporter} loses nothing when the agent is killed while its backend works`, { skip }, async (t) => {
    const { written, stop } = await startCollector(t);
    const agent = await createRestartedAgent(t, { exporter, storage: createFolder() });
    for (let round = 0; round < 3; round++) {
      await agent.start();
      const before = agent.sent().length;
      await until(() => agent.sent().length > before + 500);
      await agent.kill();
    }
    await agent.start();
    await agent.finish();
    await stop();
    const fault = 'Agent killed three times, with `file_storage`';
    const { lost, doubled, strange } = agent.account(fault, written.points);
    assert.deepEqual([lost, strange], [[], []]);
    assert.ok(doubled <= 3 * maxPoints, `${doubled} twice`);
    assertEnded(await agent.stop());
  });
}
