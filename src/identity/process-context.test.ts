import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import { holdsFor } from '../testing/property.fixture.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { until } from '../testing/until.js';
import { InvalidContextError, parseProcessContext, readProcessContext } from './process-context.js';
import { encodeContext, FakeContext, writeContext } from './process-context.fixture.js';

const payload = encodeContext({ 'service.name': 'checkout', 'deployment.environment.name': 'prod' });

function create(t: TestContext, name?: string): FakeContext {
  const context = new FakeContext(name);
  t.after(() => context.end());
  return context;
}

function read(): Record<string, string> | undefined {
  const found = readProcessContext('/proc/self');
  return found && Object.fromEntries(found);
}

test('readProcessContext reads what a process publishes, and what it publishes later', (t) => {
  assert.equal(read(), undefined);
  const context = create(t);
  assert.equal(read(), undefined);
  context.publish(payload);
  assert.deepEqual(read(), { 'service.name': 'checkout', 'deployment.environment.name': 'prod' });
  context.publish(encodeContext({ 'service.name': 'cart' }), { publishedAt: 2n });
  assert.deepEqual(read(), { 'service.name': 'cart' });
});

test('readProcessContext finds a mapping under every name that the kernel may give it, and under no other', () => {
  const folder = createFolder();
  for (const name of [
    '/memfd:OTEL_CTX',
    '/memfd:OTEL_CTX (deleted)',
    '[anon_shmem:OTEL_CTX]',
    '[anon:OTEL_CTX]',
  ]) {
    writeContext(folder, payload, name);
    assert.equal(readProcessContext(folder)?.get('service.name'), 'checkout');
  }
  for (const name of [
    '/tmp/OTEL_CTX',
    '/memfd:OTEL_CTXT',
    '/memfd:MY_OTEL_CTX (deleted)',
    '[anon:OTEL_CTX2]',
  ]) {
    writeContext(folder, payload, name);
    assert.equal(readProcessContext(folder), undefined);
  }
});

test('readProcessContext finds nothing while the process writes', (t) => {
  const context = create(t);
  context.publish(payload, { publishedAt: 0n });
  assert.equal(read(), undefined);
});

test('readProcessContext reads a context whole or not at all, of a process that publishes another all the time', async (t) => {
  const fixture = new URL('./process-context.fixture.js', import.meta.url).href;
  const script = `import { encodeContext, FakeContext } from '${fixture}';
    const context = new FakeContext();
    const payloads = ['a', 'b'].map((letter, i) => encodeContext({ 'service.name': letter.repeat(100 + 20 * i) }));
    for (let publishedAt = 1n; ; publishedAt += 1n) {
      context.bytes.writeBigUInt64LE(0n, 16);
      context.publish(payloads[Number(publishedAt % 2n)], { publishedAt });
      for (const endMs = performance.now() + 0.03 * Math.random(); performance.now() < endMs; );
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const seen = new Map<string | undefined, number>();
  const look = (): void => {
    const name = readProcessContext(`/proc/${child.pid}`)?.get('service.name');
    seen.set(name, (seen.get(name) ?? 0) + 1);
  };
  await until(() => {
    for (let i = 0; i < 100; i++) look();
    return (seen.get('a'.repeat(100)) ?? 0) >= 500 && (seen.get('b'.repeat(120)) ?? 0) >= 500;
  });
  seen.delete(undefined);
  assert.deepEqual(new Set(seen.keys()), new Set(['a'.repeat(100), 'b'.repeat(120)]));
});

test('readProcessContext skips mappings that only look like it, up to a limit', (t) => {
  for (let i = 0; i < 3; i++) create(t);
  create(t, 'OTEL_CTX_OLD').publish(encodeContext({ 'service.name': 'old' }));
  const other = create(t);
  other.publish(payload, { version: 1 });
  assert.throws(read, InvalidContextError);
  create(t).publish(payload);
  assert.equal(read()?.['service.name'], 'checkout');
});

test('readProcessContext rejects headers that are none', (t) => {
  const context = create(t);
  const isRejected = (change: () => void): void => {
    context.publish(payload);
    change();
    assert.throws(read, InvalidContextError);
  };
  isRejected(() => context.bytes.write('OTEL_XYZ', 0, 'latin1'));
  for (const version of [0, 1, 3, 0xffff_ffff]) isRejected(() => context.bytes.writeUInt32LE(version, 8));
  for (const size of [0, 65_537, 0xffff_ffff]) isRejected(() => context.bytes.writeUInt32LE(size, 12));
  // An address without memory, beyond what a process can have, and one near the end of the mapping.
  for (const address of [0n, 1n, 2n ** 47n, 2n ** 63n, 2n ** 64n - 1n]) {
    isRejected(() => context.bytes.writeBigUInt64LE(address, 24));
  }
  isRejected(() => context.publish(Buffer.from([0x0a, 0x7f, 0x00])));
});

test('readProcessContext throws the error of the system where there is no process', () => {
  assert.throws(() => readProcessContext('/proc/0'), { code: 'ENOENT' });
});

test('parseProcessContext takes only texts, and any number of them', () => {
  const number = Buffer.from([0x0a, 0x09, 0x0a, 0x07, 0x0a, 0x01, 0x61, 0x12, 0x02, 0x18, 0x05]);
  assert.deepEqual([...parseProcessContext(number)], []);
  assert.deepEqual([...parseProcessContext(new Uint8Array())], []);
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`a${i}`, `${i}`]));
  assert.equal(parseProcessContext(encodeContext(many)).get('a99'), '99');
});

test('parseProcessContext understands any bytes or reports that they are none', () => {
  const damaged = fc
    .tuple(fc.nat(payload.length - 1), fc.nat(255), fc.nat(payload.length))
    .map(([at, byte, length]) => Buffer.from(payload.with(at, byte).subarray(0, length)));
  holdsFor(fc.oneof(fc.uint8Array({ maxLength: 80 }), damaged), (bytes) => {
    try {
      for (const [key, value] of parseProcessContext(bytes))
        assert.ok(typeof key === 'string' && value !== '');
    } catch (error) {
      assert.ok(error instanceof InvalidContextError, String(error));
    }
  });
});
