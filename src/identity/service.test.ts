import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { until } from '../testing/until.js';
import { encodeContext, FakeContext } from './process-context.fixture.js';
import { ServiceReader } from './service.js';

/** What the reader finds in these variables, and how often it counted something malformed. */
function readVariables(
  ...variables: readonly string[]
): readonly [attributes: object | undefined, malformed: number] {
  const folder = createFolder();
  writeFileSync(join(folder, 'environ'), variables.map((each) => `${each}\0`).join(''));
  let malformed = 0;
  return [new ServiceReader(() => (malformed += 1)).readEnvironment(folder), malformed];
}

test('ServiceReader reads the environment as the specification of OpenTelemetry has it', () => {
  const attributes = 'OTEL_RESOURCE_ATTRIBUTES=service.name=cart, service.namespace = shop%2Ceu ,a=b';
  assert.deepEqual(readVariables('PATH=/bin', attributes), [
    { 'service.name': 'cart', 'service.namespace': 'shop,eu' },
    0,
  ]);
  assert.deepEqual(readVariables(attributes, 'OTEL_SERVICE_NAME=checkout'), [
    { 'service.name': 'checkout', 'service.namespace': 'shop,eu' },
    0,
  ]);
  assert.deepEqual(readVariables('OTEL_SERVICE_NAME=', attributes)[0], readVariables(attributes)[0]);
  assert.deepEqual(readVariables('OTEL_SERVICE_NAME=first', 'OTEL_SERVICE_NAME=second')[0], {
    'service.name': 'first',
  });
  assert.deepEqual(readVariables('OTEL_RESOURCE_ATTRIBUTES=service.instance.id=a-1')[0], {
    'service.instance.id': 'a-1',
  });
});

test('ServiceReader finds nothing in variables with other names, and of a process without any', () => {
  const other = [
    'MY_OTEL_SERVICE_NAME=a',
    'X=OTEL_SERVICE_NAME=a',
    'OTEL_SERVICE_NAMES=a',
    'otel_service_name=a',
  ];
  assert.deepEqual(readVariables(...other), [{}, 0]);
  assert.deepEqual(readVariables(), [undefined, 0]);
  assert.deepEqual(new ServiceReader().readEnvironment('/proc/0'), {});
});

test('ServiceReader ignores and counts attributes that are malformed, but not the name beside them', () => {
  assert.deepEqual(readVariables('OTEL_RESOURCE_ATTRIBUTES=service.name=a,secret'), [{}, 1]);
  assert.deepEqual(readVariables('OTEL_RESOURCE_ATTRIBUTES=%zz=1', 'OTEL_SERVICE_NAME=b'), [
    { 'service.name': 'b' },
    1,
  ]);
});

test('ServiceReader leaves out names that are too long', () => {
  assert.deepEqual(readVariables(`OTEL_SERVICE_NAME=${'a'.repeat(256)}`)[0], {});
  assert.deepEqual(readVariables(`OTEL_SERVICE_NAME=${'a'.repeat(255)}`)[0], {
    'service.name': 'a'.repeat(255),
  });
});

test('ServiceReader reads the environment of a real shell', async (t) => {
  const env = {
    PATH: process.env['PATH'],
    OTEL_SERVICE_NAME: 'shell',
    OTEL_RESOURCE_ATTRIBUTES: 'service.namespace=x',
  };
  const child = spawn('sh', ['-c', 'read line'], { env });
  t.after(() => child.kill());
  const reader = new ServiceReader();
  await until(() => reader.readEnvironment(`/proc/${child.pid}`)?.['service.name'] !== undefined);
  assert.deepEqual(reader.readEnvironment(`/proc/${child.pid}`), {
    'service.name': 'shell',
    'service.namespace': 'x',
  });
});

/** A context of this process, until the end of the test. */
function publish(t: TestContext, payload: Uint8Array): void {
  const context = new FakeContext();
  t.after(() => context.end());
  context.publish(payload);
}

test('ServiceReader takes of a process context what reports which service it is, if that has a name', (t) => {
  const reader = new ServiceReader();
  assert.equal(reader.readContext('/proc/self'), undefined);
  publish(t, encodeContext({ 'service.instance.id': 'a-1', 'host.name': 'h' }));
  assert.equal(reader.readContext('/proc/self'), undefined);
});

test('ServiceReader gives name, namespace and instance of a process context', (t) => {
  const service = { 'service.name': 'cart', 'service.namespace': 'shop', 'service.instance.id': 'a-1' };
  publish(t, encodeContext({ ...service, 'service.version': '1.2' }));
  assert.deepEqual(new ServiceReader().readContext('/proc/self'), service);
});

test('ServiceReader counts a process context that is none', (t) => {
  publish(t, Buffer.from([0x0a, 0x7f, 0x00]));
  let malformed = 0;
  assert.equal(new ServiceReader(() => (malformed += 1)).readContext('/proc/self'), undefined);
  assert.equal(malformed, 1);
});
