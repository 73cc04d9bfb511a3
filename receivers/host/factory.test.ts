import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/contract/fakes.js';
import { factory } from './factory.js';

const testdata = new URL('../../../receivers/host/testdata/', import.meta.url).pathname;

function configOf(machine: string, settings: object = {}) {
  const procfs = `${testdata}${machine}/proc`;
  return parseSettings(factory.schema, { procfs, sysfs: `${testdata}${machine}/sys`, ...settings });
}

test('factory.probe names what is here and what is not, when a kernel has no pressure', async () => {
  const probe = await factory.probe(configOf('old'), createFakeContext());
  assert.equal(probe.available, true);
  assert.equal(probe.found, 'procfs and sysfs: cpu, memory, network, disk, load, frequency');
  assert.deepEqual(probe.remedies, [
    {
      missing: `pressure: Cannot read ${testdata}old/proc/pressure/cpu: ENOENT`,
      command: 'boot with the kernel parameter psi=1, or set groups.pressure: false',
    },
  ]);
});

test('factory.probe says that nothing is here, when there is no procfs', async () => {
  const probe = await factory.probe(configOf('nowhere'), createFakeContext());
  assert.equal(probe.available, false);
});

test('HostReceiver leaves out what the kernel does not have and reads the rest', async () => {
  const log = createLogCollector();
  const next = createTableCollector();
  const receiver = factory.create(configOf('old'), createFakeContext({ log }), next);
  await receiver.start();
  await receiver.shutdown();
  await receiver.shutdown();
  assert.deepEqual(log.lines, [
    `info: Leaves pressure out: Cannot read ${testdata}old/proc/pressure/cpu: ENOENT`,
  ]);
  assert.equal(next.last('system.cpu.logical.count')[0]?.value, 2);
  assert.equal(next.last('system.network.io').length, 2);
});

test('HostReceiver does not start, when nothing can be read', async () => {
  const receiver = factory.create(configOf('nowhere'), createFakeContext(), createTableCollector());
  await assert.rejects(async () => receiver.start(), {
    name: 'UnavailableError',
    message: /^Cannot read cpu, memory, .*, frequency: expected one of them here, found none$/,
  });
});

test('HostReceiver shuts down, when it was never started', async () => {
  await factory.create(configOf('old'), createFakeContext(), createTableCollector()).shutdown();
});
