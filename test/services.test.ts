import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';

/** Uses some CPU time continuously. */
const work = 'setInterval(() => { const endMs = Date.now() + 20; while (Date.now() < endMs); }, 100);';
const context = new URL('../src/identity/process-context.fixture.js', import.meta.url).href;
/** Publishes a process context on request. */
const publisher = `import { encodeContext, FakeContext } from '${context}';
  process.stdin.once('data', () => new FakeContext().publish(encodeContext({ 'service.name': 'published' })));`;

async function startMeasuring(t: TestContext): Promise<string> {
  const config = writeConfig(`
receivers:
  estimate: {collection_interval: 200ms}
  process: {collection_interval: 200ms}
processors: {attribution: {views: [service, user], group_limit: 0}}
exporters:
  prometheus: {endpoint: '127.0.0.1:0'}
service:
  pipelines:
    metrics: {receivers: [estimate, process], processors: [attribution], exporters: [prometheus]}
`);
  const agent = startAgent(['run', '-c', config]);
  t.after(() => agent.stop('SIGKILL'));
  return agent.waitFor(/Serving metrics at (\S+)/);
}

/** The joules of each group of a view on a page. */
function readJoules(page: string, view: string, label: string): ReadonlyMap<string, number> {
  const sample = new RegExp(`^${view}_energy_joules_total\\{.*\\b${label}="([^"]*)".*\\} (\\S+)`, 'gm');
  const joules = new Map<string, number>();
  for (const [, group = '', value] of page.matchAll(sample)) {
    joules.set(group, (joules.get(group) ?? 0) + Number(value));
  }
  return joules;
}

function sum(joules: ReadonlyMap<string, number>): number {
  return [...joules.values()].reduce((a, b) => a + b, 0);
}

test('the energy of services adds up to that of all users, even while a service publishes its context', async (t) => {
  const env = { ...process.env, OTEL_SERVICE_NAME: 'inherited' };
  const inheriting = spawn(process.execPath, ['-e', work], { env, stdio: 'ignore' });
  t.after(() => inheriting.kill('SIGKILL'));
  const publishing = spawn(process.execPath, ['--input-type=module', '-e', publisher + work]);
  t.after(() => publishing.kill('SIGKILL'));
  const url = await startMeasuring(t);
  let before = 0;
  const look = async (): Promise<ReadonlyMap<string, number>> => {
    const page = await (await fetch(url)).text();
    const services = readJoules(page, 'service', 'service_name');
    const total = sum(services);
    assert.ok(Math.abs(total - sum(readJoules(page, 'user', 'process_owner'))) <= 1e-6 * total, page);
    assert.ok(total >= before);
    before = total;
    return services;
  };
  await until(async () => ((await look()).get('inherited') ?? 0) > 0);
  assert.equal((await look()).get('published'), undefined);
  publishing.stdin.write('\n');
  await until(async () => ((await look()).get('published') ?? 0) > 0);
});
