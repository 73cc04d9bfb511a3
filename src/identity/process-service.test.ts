import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { readBootTimeNs } from '../linux/clocks.js';
import { ProcessStat } from '../linux/process-stat.js';
import type { Attributes } from '../model/series.js';
import { until } from '../testing/until.js';
import { encodeContext, FakeContext } from './process-context.fixture.js';
import { IdentityReader, type ProcessIdentity } from './process-identity.js';
import { fake, Looks } from './process-looks.fixture.js';

/** The identity of this very process, as if it were so old, with the services of others that it has published. */
class OwnLooks {
  readonly #reader = new IdentityReader({
    procfs: '/proc',
    passwd: '/etc/passwd',
    hasCommandLine: false,
    service: true,
  });
  readonly #stat = new ProcessStat();
  identity: ProcessIdentity;

  constructor(ageSeconds: number) {
    assert.ok(this.#stat.read(`/proc/${process.pid}`));
    this.#stat.startTicks = Number(readBootTimeNs() / 10_000_000n) - 100 * ageSeconds;
    this.identity = this.#reader.read(process.pid, this.#stat);
  }

  look(): Attributes {
    this.identity = this.#reader.readAgain(process.pid, this.#stat, this.identity);
    return this.identity.attributes;
  }
}

function publishService(t: TestContext, name: string): FakeContext {
  const context = new FakeContext();
  t.after(() => context.end());
  context.publish(encodeContext({ 'service.name': name }));
  return context;
}

test('IdentityReader says of a process which service it publishes, at the first look', (t) => {
  publishService(t, 'cart');
  assert.equal(new OwnLooks(10).identity.attributes['service.name'], 'cart');
  // Too young for that: it is checked again.
  assert.equal(new OwnLooks(0).identity.attributes['service.name'], undefined);
});

test('IdentityReader takes a service that is published late once, and keeps it permanently', (t) => {
  const looks = new OwnLooks(1);
  const first = looks.look();
  assert.equal(first['service.name'], undefined);
  const context = publishService(t, 'cart');
  const named = looks.look();
  assert.deepEqual(named, { ...first, 'service.name': 'cart' });
  context.publish(encodeContext({ 'service.name': 'other' }));
  assert.equal(looks.look(), named);
  context.bytes.fill(0);
  assert.equal(looks.look(), named);
});

test('IdentityReader takes no service after two minutes', (t) => {
  const looks = new OwnLooks(1000);
  const first = looks.look();
  looks.identity = { ...looks.identity, knownSinceNs: looks.identity.knownSinceNs - 121_000_000_000n };
  publishService(t, 'cart');
  assert.equal(looks.look(), first);
});

test('IdentityReader finds the service of a program whose environment the kernel has yet to put in place', () => {
  const { procfs, looks } = fake({ comm: 'sleep', exe: '/usr/bin/sleep' });
  procfs.writeFile(7, 'environ', '');
  const first = looks.look();
  assert.equal(first['service.name'], undefined);
  assert.equal(looks.look(), first);
  procfs.writeFile(7, 'environ', 'OTEL_SERVICE_NAME=sleeper\0');
  assert.equal(looks.look()['service.name'], 'sleeper');
  procfs.writeFile(7, 'environ', 'OTEL_SERVICE_NAME=other\0');
  assert.equal(looks.look()['service.name'], 'sleeper');
  procfs.write(8, { comm: 'sleep', exe: '/usr/bin/sleep' });
  procfs.writeFile(8, 'environ', '');
  const unnamed = new Looks(procfs.path, 8);
  const before = unnamed.look();
  procfs.writeFile(8, 'environ', 'PATH=/bin\0');
  assert.equal(unnamed.look(), before);
});

test('IdentityReader follows a process to a program with another environment', async (t) => {
  const env = { PATH: process.env['PATH'], OTEL_SERVICE_NAME: 'shell' };
  const child = spawn('sh', ['-c', 'read line; exec env OTEL_SERVICE_NAME=sleeper sleep 600'], { env });
  t.after(() => child.kill());
  const looks = new Looks('/proc', child.pid ?? 0);
  await until(() => looks.look()['service.name'] === 'shell');
  child.stdin.write('\n');
  // A look in between can see the program before and the environment of the next one.
  await until(() => looks.look()['service.name'] === 'sleeper' && looks.name === 'sleep');
});

test('IdentityReader prefers what a process publishes to its environment', async (t) => {
  const fixture = new URL('./process-context.fixture.js', import.meta.url).href;
  const script = `import { encodeContext, FakeContext } from '${fixture}';
    process.stdin.once('data', () => new FakeContext().publish(encodeContext({ 'service.name': 'published' })));`;
  const env = { ...process.env, OTEL_RESOURCE_ATTRIBUTES: 'service.name=inherited,service.namespace=shop' };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env });
  t.after(() => child.kill());
  const looks = new Looks('/proc', child.pid ?? 0);
  await until(() => looks.look()['service.name'] === 'inherited');
  assert.equal(looks.look()['service.namespace'], 'shop');
  child.stdin.write('\n');
  await until(() => looks.look()['service.name'] === 'published');
  assert.equal(looks.look()['service.namespace'], undefined);
});

test('IdentityReader looks for no service where it is not asked to', async (t) => {
  const child = spawn('sleep', ['600'], { env: { PATH: process.env['PATH'], OTEL_SERVICE_NAME: 'a' } });
  t.after(() => child.kill());
  const stat = new ProcessStat();
  const options = { procfs: '/proc', passwd: '/etc/passwd', hasCommandLine: false, service: false };
  const silent = new IdentityReader(options);
  const looks = new Looks('/proc', child.pid ?? 0);
  await until(() => looks.look()['service.name'] === 'a');
  assert.ok(stat.read(`/proc/${child.pid}`));
  assert.ok(!('service.name' in silent.read(child.pid ?? 0, stat).attributes));
});
