import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DrmClients } from './drm-clients.js';
import { describeClient, FakeDrm } from './drm-clients.fixture.js';

const shown = (clients: DrmClients) =>
  clients.scan().map(({ pid, key, engines }) => `${pid} ${key} ${engines.get('render')?.ns}`);

test('DrmClients finds the clients of all processes, each once, whichever descriptors it has', () => {
  const drm = new FakeDrm();
  for (const pid of [200, 10, 30]) drm.start(pid);
  drm.write(10, 5, describeClient(1, 100));
  drm.write(10, 6, describeClient(1, 100));
  drm.write(10, 7, describeClient(2, 50));
  drm.write(200, 3, describeClient(1, 9, '0000:03:00.0'));
  assert.deepEqual(shown(new DrmClients(drm.procfs)), [
    '10 i915 0000:00:02.0 1 100',
    '10 i915 0000:00:02.0 2 50',
    '200 i915 0000:03:00.0 1 9',
  ]);
});

test('DrmClients keeps a client with the process that had it first, until that closes it', () => {
  const drm = new FakeDrm();
  const clients = new DrmClients(drm.procfs);
  drm.start(50);
  drm.write(50, 4, describeClient(1, 1));
  assert.deepEqual(shown(clients), ['50 i915 0000:00:02.0 1 1']);
  drm.start(20);
  drm.write(20, 4, describeClient(1, 2));
  drm.write(50, 4, describeClient(1, 2));
  assert.deepEqual(shown(clients), ['50 i915 0000:00:02.0 1 2']);
  drm.close(50, 4);
  assert.deepEqual(shown(clients), ['20 i915 0000:00:02.0 1 2']);
});

test('DrmClients has a client that several processes hold at the first scan with the one that got it last', () => {
  const drm = new FakeDrm();
  const clients = new DrmClients(drm.procfs);
  for (const pid of [900, 400, 1000]) {
    drm.start(pid);
    drm.write(pid, 4, describeClient(1, pid));
  }
  assert.deepEqual(shown(clients), ['1000 i915 0000:00:02.0 1 1000']);
  drm.close(1000, 4);
  assert.deepEqual(shown(clients), ['900 i915 0000:00:02.0 1 900']);
  drm.write(1000, 5, describeClient(1, 7));
  assert.deepEqual(shown(clients), ['900 i915 0000:00:02.0 1 900']);
});

test('DrmClients follows processes that open a GPU later, close it, open another one or end', () => {
  const drm = new FakeDrm();
  const clients = new DrmClients(drm.procfs);
  drm.start(10);
  for (let scan = 0; scan < 8; scan++) assert.deepEqual(shown(clients), []);
  drm.write(10, 9, describeClient(4, 1));
  let found: readonly string[] = [];
  // A folder of this file system has a size that need not change with its files.
  for (let scan = 0; scan < 31 && found.length === 0; scan++) found = shown(clients);
  assert.deepEqual(found, ['10 i915 0000:00:02.0 4 1']);
  drm.close(10, 9);
  drm.write(10, 11, describeClient(5, 2));
  assert.deepEqual(shown(clients), ['10 i915 0000:00:02.0 5 2']);
  drm.end(10);
  assert.deepEqual(shown(clients), []);
});

test('DrmClients takes descriptors of drivers without client ids for clients of their own', () => {
  const drm = new FakeDrm();
  drm.start(10);
  drm.write(10, 4, { driver: 'old', 'engine-render': '1 ns' });
  drm.write(10, 5, { driver: 'old', 'engine-render': '2 ns' });
  assert.deepEqual(shown(new DrmClients(drm.procfs)), ['10 old  10/4 1', '10 old  10/5 2']);
});

test(
  'DrmClients counts processes that it may not look at',
  { skip: process.getuid?.() === 0 && 'root may' },
  () => {
    const drm = new FakeDrm();
    drm.start(10);
    chmodSync(join(drm.procfs, '10/fd'), 0);
    const clients = new DrmClients(drm.procfs);
    assert.deepEqual(clients.scan(), []);
    assert.equal(clients.unreadable, 1);
    chmodSync(join(drm.procfs, '10/fd'), 0o700);
  },
);

test('DrmClients scans the processes of this machine', () => {
  const clients = new DrmClients('/proc');
  for (const { pid, driver } of clients.scan()) assert.ok(pid > 0 && driver !== '');
});
