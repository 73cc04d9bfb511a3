import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../testing/temporary-folder.fixture.js';
import { until } from '../../testing/until.js';
import { readBootTimeNs } from '../clocks.js';
import { decodeTaskName } from './accounted-process.js';
import { CpuAccounting } from './cpu-accounting.js';
import { EndedTasks, nameUniquely } from './ended-tasks.fixture.js';
import { ProcessTable } from './process-table.js';
import { skip as cannotTrace } from './real-kernel.fixture.js';
import { taskField, taskRecordWords } from './task-record.js';

interface Death {
  readonly tid: number;
  /** Start of the thread in seconds. */
  readonly born: number;
  /** Nanoseconds of the thread, and the kernel's sum of those that were removed from the process. */
  readonly ran: number;
  readonly sum?: number;
}

/** Passes without a process; each is followed by reports of ended threads of process 7. */
function openTable() {
  const table = new ProcessTable(0, true);
  let passes = 0;
  return (...deaths: readonly Death[]): readonly number[] => {
    const brief: number[] = [];
    table.begin(passes++ * 1e9);
    for (const each of deaths)
      table.addDeath(createRecord(each), 0, ({ cpuTimeNs }) => brief.push(cpuTimeNs));
    table.finish();
    return brief;
  };
}

function createRecord({ tid, born, ran, sum = 0 }: Death): Uint32Array {
  const words = new Uint32Array(taskRecordWords);
  words[taskField.tgid] = 7;
  words[taskField.tid] = tid;
  words[taskField.start] = born;
  words[taskField.runtime + 1] = ran;
  words[taskField.endedThreadsRuntime + 1] = sum;
  return words;
}

test('ProcessTable adds up the threads of a brief process, since the sum of the kernel lacks their last slices', () => {
  const pass = openTable();
  const [one, other] = [
    { tid: 8, born: 3, ran: 300 },
    { tid: 9, born: 3, ran: 400 },
  ];
  assert.deepEqual(pass(one, other, { tid: 7, born: 3, ran: 100, sum: 750 }), [800]);
  // Their threads were reported one pass earlier.
  assert.deepEqual(pass(one), []);
  assert.deepEqual(pass(other, { tid: 7, born: 3, ran: 100, sum: 750 }), [800]);
  // Without the report of a thread the sum of the kernel is more.
  assert.deepEqual(pass(one, { tid: 7, born: 3, ran: 100, sum: 750 }), [750]);
});

test('ProcessTable does not add threads of an earlier process with the same id to a brief process', () => {
  const pass = openTable();
  assert.deepEqual(pass({ tid: 8, born: 3, ran: 300 }, { tid: 7, born: 4, ran: 100, sum: 90 }), [100]);
  assert.deepEqual(pass({ tid: 8, born: 3, ran: 300 }), []);
  assert.deepEqual(pass(), []);
  assert.deepEqual(pass({ tid: 7, born: 3, ran: 100, sum: 90 }), [100]);
});

const threads = 16;
const processes = 50;
const source = `
#include <pthread.h>
static void *run(void *none) { return none; }
int main(void) {
  pthread_t threads[${threads}];
  for (int i = 0; i < ${threads}; i++) if (pthread_create(&threads[i], 0, run, 0)) return 1;
  for (int i = 0; i < ${threads}; i++) pthread_join(threads[i], 0);
  return 0;
}`;
const canCompile = spawnSync('gcc', ['--version']).status === 0;
const skip = cannotTrace || (!canCompile && 'needs gcc');

test('CpuAccounting accounts for the whole time of short threads of short processes', { skip }, async (t) => {
  const folder = createFolder();
  writeFileSync(join(folder, 'threads.c'), source);
  const built = join(folder, 'threads');
  const compiler = spawnSync('gcc', ['-o', built, join(folder, 'threads.c'), '-lpthread']);
  assert.equal(compiler.status, 0, String(compiler.stderr));
  const command = nameUniquely(built);
  const ended = await EndedTasks.open(command);
  t.after(() => ended.close());
  const accounting = await CpuAccounting.open();
  t.after(() => accounting.close());
  let [count, usedNs] = [0, 0];
  const pass = () =>
    accounting.update(Number(readBootTimeNs()), ({ name, cpuTimeNs }) => {
      if (decodeTaskName(name) !== basename(command)) return;
      count += 1;
      usedNs += cpuTimeNs;
    });
  pass();
  const loop = `i=0; while [ $i -lt ${processes} ]; do ${command}; i=$((i+1)); done`;
  assert.equal(spawnSync('sh', ['-c', loop]).status, 0);
  // Some virtual machines run no program at an end in a hundred.
  await until(() => {
    pass();
    const isReported = count >= 0.9 * processes && ended.count >= 0.9 * processes * (threads + 1);
    return isReported && usedNs >= 0.97 * ended.cpuNs;
  });
  assert.ok(usedNs <= 1.03 * ended.cpuNs, `${usedNs} of ${ended.cpuNs} ns`);
});
