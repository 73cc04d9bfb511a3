import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ComponentStatus } from '../component/agent-control.js';
import { createLogCollector } from '../component/fakes.js';
import { listenAsServiceManager } from '../linux/notify-socket.fixture.js';
import { until } from '../testing/until.js';
import { describeStates, ServiceManager } from './service-manager.js';

let count = 0;

function open(t: TestContext, settings: NodeJS.ProcessEnv = {}) {
  const name = `@joulemetry-manager-${process.pid}-${++count}`;
  const { received, close } = listenAsServiceManager(name);
  const log = createLogCollector();
  const env = { NOTIFY_SOCKET: name, ...settings };
  const manager = new ServiceManager(log, env);
  t.after(() => manager.close());
  return { manager, received, close, log, env };
}

test('ServiceManager notifies of every state with a text on one line', (t) => {
  const { manager, received } = open(t);
  manager.ready('Measuring\nREADY=0');
  manager.show('Measuring, rapl fails');
  manager.show('Measuring, rapl fails');
  manager.reloading();
  manager.stopping('Received SIGTERM');
  const [ready, shown, reloading, stopping, ...rest] = received();
  assert.equal(ready, 'READY=1\nSTATUS=Measuring READY=0');
  assert.equal(shown, 'STATUS=Measuring, rapl fails');
  assert.match(reloading ?? '', /^RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=Reading the configuration again$/u);
  assert.equal(stopping, 'STOPPING=1\nSTATUS=Received SIGTERM');
  assert.deepEqual(rest, []);
});

test('ServiceManager takes what is meant for it out of the environment', (t) => {
  const { env } = open(t, { WATCHDOG_USEC: '3000000', WATCHDOG_PID: `${process.pid}`, HOME: '/root' });
  assert.deepEqual(env, { HOME: '/root' });
});

test('ServiceManager notifies the watchdog only while the agent gets on', async (t) => {
  const { manager, received, log } = open(t, { WATCHDOG_USEC: '4000' });
  let stall: string | undefined;
  manager.watch(() => stall);
  await until(() => received().filter((text) => text === 'WATCHDOG=1').length > 2);
  stall = 'no reading for 30 s';
  await until(() => log.lines.length > 1);
  const before = received().length;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(received().length, before);
  stall = undefined;
  await until(() => received().length > before);
  assert.deepEqual(log.lines.slice(1), ['error: Not notifying the watchdog: no reading for 30 s']);
});

for (const settings of [{ WATCHDOG_USEC: '4000', WATCHDOG_PID: '1' }, { WATCHDOG_USEC: '0' }, {}]) {
  test(`ServiceManager does not notify a watchdog with ${JSON.stringify(settings)}`, async (t) => {
    const { manager, received } = open(t, settings);
    manager.watch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(received(), []);
  });
}

test('ServiceManager sends later, in order, what the service manager has no room for', async (t) => {
  const { manager, received } = open(t);
  for (let i = 0; i < 3000; i++) manager.show(`state ${i}`);
  manager.ready('Measuring');
  await until(() => received().length === 3001);
  assert.equal(received()[2999], 'STATUS=state 2999');
  assert.equal(received().at(-1), 'READY=1\nSTATUS=Measuring');
});

test('ServiceManager goes on with a warning, when the service manager is not there or has gone', (t) => {
  const log = createLogCollector();
  const absent = new ServiceManager(log, { NOTIFY_SOCKET: '@joulemetry-absent' });
  absent.ready('Measuring');
  absent.close();
  assert.deepEqual(log.lines, [
    'warn: Cannot notify the service manager at "@joulemetry-absent": ECONNREFUSED; the service manager will assume that this agent did not start',
  ]);
  const lost = open(t);
  lost.close();
  lost.manager.ready('Measuring');
  lost.manager.stopping('Received SIGTERM');
  assert.deepEqual(lost.log.lines, ['warn: Cannot notify the service manager: ECONNREFUSED']);
});

test('ServiceManager does nothing, when there is no service manager', () => {
  const log = createLogCollector();
  const manager = new ServiceManager(log, { WATCHDOG_USEC: '1000' });
  manager.watch(() => undefined);
  manager.ready('Measuring');
  manager.close();
  assert.deepEqual(log.lines, []);
});

function createStatus(
  kind: ComponentStatus['kind'],
  id: string,
  state: ComponentStatus['state'],
): ComponentStatus {
  return { kind, id, pipelines: [], state, since: new Date(0), acceptedPoints: 0, refusedPoints: 0 };
}

test('describeStates names what is paused and what fails', () => {
  const receivers = [
    createStatus('receiver', 'rapl', 'running'),
    createStatus('receiver', 'nvml', 'disabled'),
  ];
  assert.equal(describeStates(receivers), 'Measuring with 1 receiver');
  const more = [createStatus('receiver', 'host', 'paused'), createStatus('exporter', 'otlp_grpc', 'failed')];
  assert.equal(
    describeStates([...receivers, ...more]),
    'Measuring with 2 receivers; paused: receiver host; failing: exporter otlp_grpc',
  );
});
