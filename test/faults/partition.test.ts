import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../src/testing/until.js';
import { startCollector } from '../interop/collector.js';
import { assertNothingLost } from '../interop/measured-agent.js';
import { isWithout } from '../interop/peers.js';
import { createRestartedAgent } from './restarted-agent.js';

const skip = isWithout('otelcol') || (process.getuid?.() !== 0 && 'another network namespace needs root');
const partitionMs = 1000 * Number(process.env['JOULEMETRY_FAULT_OUTAGE'] ?? 10);

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
  t.after(() => holder.kill('SIGKILL'));
  const wrapper = ['nsenter', '--net', '--target', `${holder.pid}`];
  const own = execFileSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' });
  const readTheirs = () => execFileSync('readlink', [`/proc/${holder.pid}/ns/net`], { encoding: 'utf8' });
  await until(() => readTheirs() !== own);
  const there = (...words: readonly string[]) => run(...wrapper, ...words);
  run('ip', 'link', 'add', 'jm0', 'type', 'veth', 'peer', 'name', 'jm1', 'netns', `${holder.pid}`);
  run('ip', 'addr', 'add', '192.0.2.1/24', 'dev', 'jm0');
  run('ip', 'link', 'set', 'jm0', 'up');
  there('ip', 'addr', 'add', '192.0.2.2/24', 'dev', 'jm1');
  there('ip', 'link', 'set', 'jm1', 'up');
  there('ip', 'link', 'set', 'lo', 'up');
  t.after(() => run('ip', 'link', 'del', 'jm0'));
  return {
    address: '192.0.2.2',
    wrapper,
    // Takes down the far end: this end does not notice that packets are lost.
    setCable: (isPlugged) => there('ip', 'link', 'set', 'jm1', isPlugged ? 'up' : 'down'),
  };
}

for (const exporter of ['otlp_grpc', 'otlp_http']) {
  test(`${exporter} loses nothing while packets go nowhere`, { skip }, async (t) => {
    const { address, wrapper, setCable } = await connectHost(t);
    const env = { OTLP_GRPC: `${address}:4317`, OTLP_HTTP: `${address}:4318` };
    const { written } = await startCollector(t, { wrapper, env });
    const endpoint = exporter === 'otlp_grpc' ? env.OTLP_GRPC : `http://${env.OTLP_HTTP}`;
    const settings = `{endpoint: '${endpoint}', timeout: 2s, retry_on_failure: {max_elapsed_time: 20m}}`;
    const agent = await createRestartedAgent(t, { exporter, settings });
    await agent.start();
    await until(() => written.points.length > 500);
    setCable(false);
    const before = agent.sent().length;
    await sleep(partitionMs);
    assert.ok(agent.sent().length > before);
    setCable(true);
    await agent.rest();
    await until(() => written.points.length >= agent.sent().length);
    assertNothingLost(await agent.stop());
    const fault = `Network partition of ${partitionMs / 1000} s`;
    const { lost, doubled, strange } = await agent.account(fault, () => written.points);
    assert.deepEqual([lost, strange], [[], []]);
    // The points of one request whose answer was lost.
    assert.ok(doubled <= 8192, `${doubled} twice`);
  });
}
