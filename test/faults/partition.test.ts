import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../src/testing/until.js';
import { startCollector } from '../interop/collector.js';
import { assertEnded } from '../interop/measured-agent.js';
import { isWithout } from '../interop/peers.js';
import { outageMs } from './cells.js';
import { createRestartedAgent, findStorage, queues } from './restarted-agent.js';

const skip = isWithout('otelcol') || (process.getuid?.() !== 0 && 'another network namespace needs root');

/** Another host: a network namespace at the other end of a virtual cable. */
interface OtherHost {
  readonly address: string;
  /** Command prefix that runs a command there. */
  readonly wrapper: readonly string[];
  setCable(isPlugged: boolean): void;
}

function run(...[program = '', ...args]: readonly string[]): void {
  execFileSync(program, args);
}

async function connectHost(t: TestContext): Promise<OtherHost> {
  const holder = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
  let isConnected = false;
  t.after(() => {
    // Before the namespace ends, which removes the cable some time later.
    if (isConnected) run('ip', 'link', 'del', 'jm0');
    holder.kill('SIGKILL');
  });
  const wrapper = ['nsenter', '--net', '--target', `${holder.pid}`];
  const own = execFileSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' });
  const readTheirs = () => execFileSync('readlink', [`/proc/${holder.pid}/ns/net`], { encoding: 'utf8' });
  await until(() => readTheirs() !== own);
  const there = (...words: readonly string[]) => run(...wrapper, ...words);
  run('ip', 'link', 'add', 'jm0', 'type', 'veth', 'peer', 'name', 'jm1', 'netns', `${holder.pid}`);
  isConnected = true;
  run('ip', 'addr', 'add', '192.0.2.1/24', 'dev', 'jm0');
  run('ip', 'link', 'set', 'jm0', 'up');
  there('ip', 'addr', 'add', '192.0.2.2/24', 'dev', 'jm1');
  there('ip', 'link', 'set', 'jm1', 'up');
  there('ip', 'link', 'set', 'lo', 'up');
  return {
    address: '192.0.2.2',
    wrapper,
    // Takes down the far end: this end does not notice that packets are lost.
    setCable: (isPlugged) => there('ip', 'link', 'set', 'jm1', isPlugged ? 'up' : 'down'),
  };
}

for (const queue of queues) {
  const { name, exporter, suffix, retries } = queue;
  test(`${name} loses nothing while packets go nowhere`, { skip }, async (t) => {
    const { address, wrapper, setCable } = await connectHost(t);
    const env = { OTLP_GRPC: `${address}:4317`, OTLP_HTTP: `${address}:4318` };
    const { written, stop } = await startCollector(t, { wrapper, env });
    const endpoint = exporter === 'otlp_grpc' ? env.OTLP_GRPC : `http://${env.OTLP_HTTP}`;
    const settings = `{endpoint: '${endpoint}', timeout: 2s, ${retries}}`;
    const agent = await createRestartedAgent(t, { exporter, settings, storage: findStorage(queue) });
    await agent.start();
    await until(() => written.points.length > 500);
    setCable(false);
    const before = agent.sent().length;
    await sleep(outageMs);
    assert.ok(agent.sent().length > before);
    setCable(true);
    await agent.finish();
    await stop();
    const fault = `Network partition of ${outageMs / 1000} s${suffix}`;
    const { lost, doubled, strange } = agent.account(fault, written.points);
    assert.deepEqual([lost, strange], [[], []]);
    // The points of one request whose answer was lost.
    assert.ok(doubled <= 8192, `${doubled} twice`);
    assertEnded(await agent.stop());
  });
}
