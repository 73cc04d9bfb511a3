import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessTable } from './process-table.js';
import { taskField, taskRecordWords } from './task-record.js';
import { ThreadPass, type TaskList } from './thread-pass.js';

interface Thread {
  readonly tid: number;
  readonly tgid: number;
  /** CPU time in seconds. */
  readonly ran: number;
  readonly name?: number;
  readonly state?: number;
}

/** A list of threads set by the test. */
class FakeTasks implements TaskList {
  readonly recordWords = taskRecordWords;
  words = new Uint32Array(0);

  set(...threads: readonly Thread[]): void {
    this.words = Uint32Array.from(threads.flatMap(createRecord));
  }

  read(): number {
    return this.words.length / taskRecordWords;
  }

  close(): void {}
}

function createRecord({ tid, tgid, ran, name = 0, state = 0 }: Thread): number[] {
  const words = Array.from({ length: taskRecordWords }, () => 0);
  words[taskField.tid] = tid;
  words[taskField.tgid] = tgid;
  // As in a pid namespace, where ids differ from those of the initial one.
  words[taskField.localTgid] = tgid + 100;
  words[taskField.runtime] = ran;
  words[taskField.name] = name;
  words[taskField.state] = state;
  return words;
}

test('ThreadPass records the processes that have run, changed or ended since the previous pass', () => {
  const [tasks, table] = [new FakeTasks(), new ProcessTable(0, false)];
  const subject = new ThreadPass(tasks, undefined, 0);
  const pass = (...threads: readonly Thread[]): readonly number[] => {
    tasks.set(...threads);
    table.begin(0);
    subject.update(table);
    return [...new Set(table.changed)];
  };
  const init = { tid: 1, tgid: 1, ran: 5 };
  const shell = { tid: 7, tgid: 7, ran: 1 };
  const worker = { tid: 8, tgid: 7, ran: 2 };
  pass(init, shell, worker);
  assert.deepEqual(table.born, [101, 107]);
  assert.deepEqual(pass(init, shell, worker), []);
  assert.deepEqual(pass(init, shell, { ...worker, ran: 3 }), [107]);
  assert.equal(table.find(107)?.seconds, 4);
  assert.deepEqual(pass(init, { ...shell, state: 1 }, { ...worker, ran: 3 }), [107]);
  assert.deepEqual(pass({ ...init, name: 9 }, { ...shell, state: 1 }, { ...worker, ran: 3 }), [101]);
  assert.deepEqual(pass({ ...init, name: 9 }), [107]);
});
