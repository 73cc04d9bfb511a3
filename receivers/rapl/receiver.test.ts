import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ReceiverContext } from '../../src/component/component.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { ClaimRegistry } from '../../src/pipeline/claims.js';
import { createSampling } from '../../src/sampling/sampling-threads.js';
import { schema } from './config.js';
import { RaplReceiver } from './factory.js';
import { createFakeSysfs, type FakeSysfs } from './fake-sysfs.fixture.js';

function writeMachine(t: TestContext): FakeSysfs {
  const sysfs = createFakeSysfs(t);
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 7_000_000 });
  sysfs.writeZone('intel-rapl:0:0', { name: 'dram', microjoules: 8_000_000 });
  return sysfs;
}

/** A receiver on real sampling threads. */
function create(
  t: TestContext,
  sysfs: FakeSysfs,
  settings: object,
  overrides: Partial<ReceiverContext> = {},
) {
  const log = createLogCollector();
  const next = createTableCollector();
  const fake = createFakeContext({ log, ...overrides });
  const sampling = createSampling(fake);
  const config = parseSettings(schema, { sysfs: sysfs.root, interface: 'powercap', ...settings });
  const receiver = new RaplReceiver(config, { ...fake, sampling }, next);
  t.after(async () => {
    await receiver.shutdown();
    await sampling.shutdown();
  });
  return { receiver, next, log };
}

test('RaplReceiver publishes a domain only once if another receiver has it', async (t) => {
  const sysfs = writeMachine(t);
  const registry = new ClaimRegistry();
  const domains = { dram: false };
  const first = create(t, sysfs, { domains }, { id: 'rapl', claims: registry.claimsFor('rapl') });
  const second = create(t, sysfs, {}, { id: 'rapl/second', claims: registry.claimsFor('rapl/second') });
  const third = create(t, sysfs, {}, { id: 'rapl/third', claims: registry.claimsFor('rapl/third') });
  await first.receiver.start();
  await second.receiver.start();
  const ids = (next: typeof first.next) =>
    next.last('hw.energy').map(({ series }) => series.attributes['hw.id']);
  assert.deepEqual([ids(first.next), ids(second.next)], [['cpu-package-0'], ['dram-0']]);
  assert.deepEqual(second.log.lines, [
    'warn: Leaving out what another receiver publishes: package-0 by "rapl"',
    'info: Reads powercap: dram-0',
  ]);
  await assert.rejects(async () => third.receiver.start(), {
    name: 'UnavailableError',
    message:
      'each domain is published once, and all of them are by "rapl" and "rapl/second": give "rapl/third" domains of its own, or name "rapl" and "rapl/second" in its pipelines instead',
  });
  assert.deepEqual([third.next.tables, third.log.lines], [[], []]);
});

test('RaplReceiver passes on the latest reading when flushed, however long its interval', async (t) => {
  const sysfs = writeMachine(t);
  const { receiver, next } = create(t, sysfs, { sampling_interval: '1h' });
  await receiver.start();
  sysfs.writeEnergy('intel-rapl:0', 7_500_000);
  await receiver.flush();
  assert.deepEqual(
    next.last('hw.energy').map(({ value }) => value),
    [0.5, 0],
  );
  sysfs.writeEnergy('intel-rapl:0', 8_500_000);
  await receiver.shutdown();
  assert.deepEqual(
    next.last('hw.energy').map(({ value }) => value),
    [1.5, 0],
  );
});

test('RaplReceiver reports which counter was reset', async (t) => {
  const sysfs = writeMachine(t);
  const { receiver, log } = create(t, sysfs, { sampling_interval: '1h' });
  await receiver.start();
  for (const microjoules of [1_000_000, 1_100_000]) {
    sysfs.writeEnergy('intel-rapl:0:0', microjoules);
    await receiver.flush();
  }
  const reset = log.lines.filter((line) => line.includes('was reset: '));
  assert.deepEqual(reset, [
    'warn: The energy counter of dram-0 was reset: the energy used in between is unknown',
  ]);
});

test('RaplReceiver leaks nothing when it does not start', async (t) => {
  const sysfs = createFakeSysfs(t);
  const { receiver } = create(t, sysfs, {});
  await assert.rejects(async () => receiver.start(), { name: 'UnavailableError' });
  await receiver.shutdown();
});
