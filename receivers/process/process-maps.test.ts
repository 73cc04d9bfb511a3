import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../../src/testing/until.js';
import { FakeMachine } from './fake-machine.fixture.js';
import { MapsReader, ProcessMaps } from './process-maps.js';

const isMapped = { memory: false, threads: false, memory_maps: true };

/** As the kernel writes it, in KiB. */
function describeMaps(proportional: number, sharedClean: number, sharedDirty: number): string {
  return (
    `55e8284fe000-7ffc1bd73000 ---p 00000000 00:00 0                          [rollup]\nRss:             9000 kB\n` +
    `Pss:             ${proportional} kB\nPss_Dirty:       1 kB\nPss_Anon:        1 kB\n` +
    `Shared_Clean:    ${sharedClean} kB\nShared_Dirty:    ${sharedDirty} kB\nPrivate_Clean:   7 kB\n`
  );
}

test('ProcessScraper publishes the shared memory of processes once it was read', async (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  machine.procfs.writeFile(7, 'smaps_rollup', describeMaps(300, 20, 4));
  machine.open({ metrics: isMapped });
  machine.scan();
  const values = await readUntil(machine, 300 * 1024);
  assert.equal(values['memory.linux.shared'], 24 * 1024);
  machine.procfs.writeFile(7, 'smaps_rollup', describeMaps(400, 20, 4));
  machine.cpuNs.set(7, 1000);
  await readUntil(machine, 400 * 1024);
});

test('ProcessScraper omits the shared memory of processes if it may not be read', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(8, {});
  machine.open({ metrics: isMapped });
  machine.scan();
  assert.deepEqual(Object.keys(machine.scan().valuesOf(8)), ['cpu.time user', 'cpu.time system']);
});

test('ProcessScraper leaves a gap when the maps of a process become unreadable or invalid', async (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  machine.procfs.writeFile(7, 'smaps_rollup', describeMaps(300, 20, 4));
  machine.open({ metrics: isMapped });
  machine.scan();
  await readUntil(machine, 300 * 1024);
  machine.procfs.writeFile(7, 'smaps_rollup', 'garbage');
  machine.cpuNs.set(7, 1000);
  await readUntil(machine, NaN);
  machine.procfs.writeFile(7, 'smaps_rollup', describeMaps(2 ** 43, 20, 4));
  machine.cpuNs.set(7, 2000);
  await until(() => {
    const { 'memory.linux.shared': shared, 'memory.linux.proportional': proportional } = machine
      .scan()
      .valuesOf(7);
    return shared === 24 * 1024 && Number.isNaN(proportional);
  });
});

test('MapsReader reads one file after another, and none of a process that has ended', async (t) => {
  const machine = new FakeMachine(t);
  const maps = [1, 2, 3].map((pid) => {
    machine.procfs.write(pid, {});
    machine.procfs.writeFile(pid, 'smaps_rollup', describeMaps(pid, 0, 0));
    return new ProcessMaps(join(machine.procfs.path, `${pid}`, 'smaps_rollup'));
  });
  mkdirSync(join(machine.procfs.path, '4', 'smaps_rollup'), { recursive: true });
  maps.push(new ProcessMaps(join(machine.procfs.path, '4', 'smaps_rollup')));
  const reader = new MapsReader();
  for (const one of maps) reader.request(one);
  for (const one of maps.slice(1, 2)) one.isClosed = true;
  await until(() => maps.at(-1)?.isNew === true);
  assert.deepEqual(
    maps.map(({ proportionalBytes }) => proportionalBytes),
    [1024, NaN, 3072, NaN],
  );
});

test('The proportional memory of a process of the kernel lies between its private and its resident memory', async (t) => {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000); console.log(1)']);
  t.after(() => child.kill());
  await once(child.stdout, 'data');
  const maps = new ProcessMaps(`/proc/${child.pid}/smaps_rollup`);
  new MapsReader().request(maps);
  await until(() => maps.isNew);
  // Resident pages are counted per CPU and added up late, so they are accurate to several hundred pages.
  const [, pages = NaN] = readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ').map(Number);
  const resident = 4096 * (pages + 512);
  assert.ok(maps.proportionalBytes > 1e6 && maps.proportionalBytes < resident, `${maps.proportionalBytes}`);
  assert.ok(maps.sharedBytes > 0 && maps.sharedBytes < resident, `${maps.sharedBytes} of ${resident}`);
});

/** Scans until the proportional memory of process 7 has a value. @returns its values */
async function readUntil(machine: FakeMachine, bytes: number): Promise<Readonly<Record<string, number>>> {
  let values: Readonly<Record<string, number>> = {};
  await until(() => {
    values = machine.scan().valuesOf(7);
    return Object.is(values['memory.linux.proportional'], bytes);
  });
  return values;
}
