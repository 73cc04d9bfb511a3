import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { listenAsServiceManager } from '../src/linux/notify-socket.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';

/** An agent under a service manager, with a hook that prints which of the agent's variables it inherits. */
function startWatched(t: TestContext, name: string, usec = '200000') {
  const manager = listenAsServiceManager(name);
  const socket = join(createFolder(), 'control.sock');
  const config = writeConfig(`
receivers: { simulator: { collection_interval: 20ms } }
exporters: { debug: {} }
extensions:
  control: { socket: { path: ${socket} } }
  hooks: { start: [{ shell: 'env | grep -c "NOTIFY\\|WATCHDOG"' }] }
service:
  telemetry: { metrics: { level: none } }
  extensions: [hooks, control]
  pipelines: { metrics: { receivers: [simulator], exporters: [debug] } }
`);
  const agent = startAgent(['run', '-c', config], { NOTIFY_SOCKET: name, WATCHDOG_USEC: usec });
  t.after(() => agent.stop());
  return { agent, socket, received: () => manager.received() };
}

const names = [
  ['a path', () => join(createFolder(), 'notify')],
  ['an abstract name', () => `@joulemetry-agent-${process.pid}`],
] as const;

for (const [what, createName] of names) {
  test(`an agent notifies ${what} when it is ready, as a watchdog, and when it ends`, async (t) => {
    const { agent, received } = startWatched(t, createName());
    await agent.waitFor(/shell command start\[0\]: 0/u);
    await agent.waitFor(/Everything is ready/u);
    await until(() => received().filter((text) => text === 'WATCHDOG=1').length > 2);
    assert.equal(received()[0], 'READY=1\nSTATUS=Measuring with 1 receiver');
    const { code } = await agent.stop();
    assert.equal(code, 0);
    assert.equal(
      received().findLast((text) => text.startsWith('STOPPING')),
      'STOPPING=1\nSTATUS=Shutting down: received SIGTERM',
    );
  });
}

test('an agent notifies the service manager of a reload, and when it is ready again', async (t) => {
  const { agent, received } = startWatched(t, `@joulemetry-reload-${process.pid}`);
  await agent.waitFor(/Everything is ready/u);
  process.kill(agent.pid, 'SIGHUP');
  await until(() => received().filter((text) => text.startsWith('READY=1')).length === 2);
  const states = received().filter((text) => text.startsWith('READY=1') || text.startsWith('RELOADING=1'));
  assert.match(states[1] ?? '', /^RELOADING=1\nMONOTONIC_USEC=\d+\n/u);
  assert.equal((await agent.stop()).code, 0);
});

test('an agent notifies the service manager of a reload over its control socket, and of nothing after its end', async (t) => {
  const { agent, received, socket } = startWatched(t, `@joulemetry-asked-${process.pid}`);
  await agent.waitFor(/Everything is ready/u);
  assert.equal(await askForReload(socket), 200);
  const states = () => received().flatMap((text) => /^(?:READY|RELOADING|STOPPING)=1/u.exec(text)?.[0] ?? []);
  await until(() => states().length === 3);
  // The shutdown starts while this is read.
  process.kill(agent.pid, 'SIGHUP');
  assert.equal((await agent.stop()).code, 0);
  assert.deepEqual(states().slice(0, 3), ['READY=1', 'RELOADING=1', 'READY=1']);
  assert.equal(states().at(-1), 'STOPPING=1');
});

/** @returns the status of the answer */
async function askForReload(socketPath: string): Promise<number | undefined> {
  const asking = request({ socketPath, path: '/-/reload', method: 'POST' }).end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage]; // emitted by Node
  response.resume();
  return response.statusCode;
}

test('an agent that is stopped by a signal does not notify the watchdog', async (t) => {
  const { agent, received } = startWatched(t, `@joulemetry-stopped-${process.pid}`, '20000');
  await until(() => received().includes('WATCHDOG=1'));
  process.kill(agent.pid, 'SIGSTOP');
  const before = received().length;
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(received().length <= before + 1);
  process.kill(agent.pid, 'SIGCONT');
  await until(() => received().length > before + 3);
});
