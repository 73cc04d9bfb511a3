import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeProcfs } from '../../src/identity/fake-procfs.fixture.js';
import { ProcessFinder } from './find-processes.js';

const createFinder = (procfs: string) => new ProcessFinder({ procfs, service: true, passwd: '/etc/passwd' });

test('ProcessFinder finds processes by pid, by name and by path', () => {
  const procfs = createFakeProcfs();
  procfs.write(7, { comm: 'a) b (', exe: '/usr/bin/ab' });
  procfs.write(8, { exe: '/usr/lib/postgresql/bin/postgres (deleted)' });
  procfs.write(9, { exe: '/opt/with-a-very-long-name' });
  procfs.writeFile(9, 'comm', 'with-a-very-lon\n');
  const finder = createFinder(procfs.path);
  const find = (pids: readonly number[], names: readonly string[]) =>
    finder.find({ pids, names }).map(({ pid }) => pid);
  assert.deepEqual(find([7, 99], []), [7]);
  assert.deepEqual(find([], ['postgres']), [8]);
  assert.deepEqual(find([8], ['/usr/lib/postgresql/bin/postgres', 'with-a-very-long-name']), [8, 9]);
  assert.deepEqual(find([], ['with-a-very-lon']), [9]);
});

test('ProcessFinder leaves out zombies', () => {
  const procfs = createFakeProcfs();
  procfs.write(7, { comm: 'gone', state: 'Z' });
  assert.deepEqual(createFinder(procfs.path).find({ pids: [7], names: ['program'] }), []);
});

test('ProcessFinder keeps the resource of a process that renames itself, not of one that executes another program', () => {
  const procfs = createFakeProcfs();
  const finder = createFinder(procfs.path);
  const find = () => finder.find({ pids: [7], names: [] })[0]?.attributes;
  procfs.write(7, { comm: 'node', exe: '/usr/bin/node' });
  const first = find();
  procfs.write(7, { comm: 'npm ci', exe: '/usr/bin/node' });
  assert.equal(find(), first);
  procfs.write(7, { comm: 'sh', exe: '/usr/bin/dash' });
  assert.equal(find()?.['process.executable.name'], 'dash');
  procfs.write(7, { comm: 'sh', exe: '/usr/bin/dash', startTicks: 500 });
  assert.equal(find()?.['process.creation.time'], '2023-11-14T22:13:25.000Z');
});

test('ProcessFinder reads owner and service as configured', () => {
  const procfs = createFakeProcfs();
  procfs.write(7, {});
  procfs.writeFile(7, 'environ', 'OTEL_SERVICE_NAME=cart\0');
  const passwd = join(procfs.path, 'passwd');
  writeFileSync(passwd, `ann:x:${process.getuid?.()}:0:::\n`);
  const read = (service: boolean) =>
    new ProcessFinder({ procfs: procfs.path, service, passwd }).find({ pids: [7], names: [] })[0]?.attributes;
  assert.equal(read(true)?.['process.owner'], 'ann');
  assert.equal(read(true)?.['service.name'], 'cart');
  assert.equal(read(false)?.['service.name'], undefined);
});
