import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { OnlineCpus } from './online-cpus.js';
import { countPerfEvents } from './perf-cgroups.fixture.js';

/** A machine whose sentinels stop when told to. */
function createMachine() {
  const sysfs = createFolder();
  const folder = join(sysfs, 'devices/system/cpu');
  mkdirSync(folder, { recursive: true });
  const stopped = new Set<number>();
  const opened: string[] = [];
  let nowMs = 0;
  const cpus = new OnlineCpus(
    sysfs,
    () => nowMs,
    (cpu) => {
      stopped.delete(cpu);
      opened.push(`open ${cpu}`);
      return { hasStopped: () => stopped.has(cpu), close: () => opened.push(`close ${cpu}`) };
    },
  );
  const setOnline = (online: string) => writeFileSync(join(folder, 'online'), `${online}\n`);
  const readLater = (ms = 500) => {
    nowMs += ms;
    return cpus.read();
  };
  return { cpus, stopped, opened, setOnline, readLater };
}

test('OnlineCpus gives the same object until a CPU goes or comes, and reads at most twice a second', () => {
  const { cpus, setOnline, readLater } = createMachine();
  setOnline('0-1');
  const first = cpus.read();
  assert.deepEqual(
    [...first],
    [0, 1].map((cpu) => [cpu, 0]),
  );
  assert.equal(readLater(), first);
  setOnline('0');
  assert.equal(readLater(499), first);
  const second = readLater(1);
  assert.deepEqual([...second], [[0, 0]]);
  setOnline('0-1');
  assert.deepEqual(
    [...readLater()],
    [0, 1].map((cpu) => [cpu, 0]),
  );
});

test('OnlineCpus notices a CPU that was offline between two readings', () => {
  const { cpus, stopped, opened, setOnline, readLater } = createMachine();
  setOnline('0-1');
  const first = cpus.read();
  stopped.add(1);
  const second = readLater();
  assert.notEqual(second, first);
  assert.deepEqual(
    [...second],
    [
      [0, 0],
      [1, 1],
    ],
  );
  assert.equal(readLater(), second);
  cpus.close();
  assert.deepEqual(opened, ['open 0', 'open 1', 'close 1', 'open 1', 'close 0', 'close 1']);
});

test(
  'OnlineCpus takes no CPU of this machine as stopped, and closes its events',
  { skip: perfRefused },
  async () => {
    let nowMs = 0;
    const cpus = new OnlineCpus('/sys', () => (nowMs += 1000));
    const first = cpus.read();
    assert.equal(countPerfEvents(), first.size);
    const startMs = performance.now();
    await until(() => performance.now() > startMs + 20);
    assert.equal(cpus.read(), first);
    cpus.close();
    assert.equal(countPerfEvents(), 0);
  },
);
