import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detail, detailCount } from './process-details.js';
import { processRecordWords, runField, runWords } from './process-loop-layout.js';
import { ProcessPass, type ProcessList } from './process-pass.js';
import { ProcessTable } from './process-table.js';
import { taskField, taskRecordWords } from './task-record.js';

interface Listed {
  readonly tgid: number;
  /** Start time in seconds, of a process with a record. */
  readonly born?: number;
  /** CPU time in seconds, of a process that has run. */
  readonly ran?: number;
}

/** A list of processes set by the test. */
class FakeList implements ProcessList {
  readonly hasDetails = true;
  tgids = new Uint32Array(0);
  runs = new Uint32Array(0);
  records = new Uint32Array(0);

  get count(): number {
    return this.tgids.length;
  }

  get runCount(): number {
    return this.runs.length / runWords;
  }

  get recordLength(): number {
    return this.records.length;
  }

  set(...listed: readonly Listed[]): void {
    this.tgids = Uint32Array.from(listed, ({ tgid }) => tgid);
    this.runs = Uint32Array.from(
      listed.flatMap(({ ran, born }, place) => (ran && born === undefined ? createRun(place, ran) : [])),
    );
    this.records = Uint32Array.from(
      listed.flatMap((each, place) => (each.born === undefined ? [] : createRecord(each, place))),
    );
  }

  read(): void {}
  close(): void {}
}

function createRun(place: number, seconds: number): number[] {
  const words = Array.from({ length: runWords }, () => 0);
  words[runField.place] = place;
  words[runField.state] = 1;
  words[runField.seconds] = seconds;
  return words;
}

function createRecord({ tgid, born = 0, ran = 0 }: Listed, place: number): number[] {
  const words = Array.from({ length: processRecordWords }, () => 0);
  for (const field of [taskField.tgid, taskField.tid, taskField.localTgid] as const) words[field] = tgid;
  words[taskField.start] = born;
  words[taskField.runtime] = ran;
  words[taskField.place] = place;
  return words;
}

test('ProcessPass keeps the details of the last record or run', () => {
  const [list, table] = [new FakeList(), new ProcessTable(0, true)];
  const subject = new ProcessPass(list);
  const passWith = (pages: number, ...listed: readonly Listed[]): readonly number[] => {
    list.set(...listed);
    for (let at = taskRecordWords; at < list.records.length; at += processRecordWords)
      list.records[at] = pages;
    for (let at = runField.details; at < list.runs.length; at += runWords) list.runs[at + 1] = pages;
    table.begin(0);
    subject.update(table);
    const details = new Float64Array(detailCount);
    return [1, 7].map((pid) => {
      table.find(pid)?.copyDetails(details);
      return details[detail.residentPages];
    });
  };
  assert.deepEqual(passWith(3, { tgid: 1, born: 1 }, { tgid: 7, born: 2 }), [3, 3]);
  assert.deepEqual(passWith(4, { tgid: 1 }, { tgid: 7, born: 2 }), [3, 4]);
  assert.deepEqual(passWith(5, { tgid: 1, ran: 2 }, { tgid: 7 }), [5 * 2 ** 32, 4]);
});

/** State and CPU seconds of each process after the passes, and the new processes of the last one. */
function pass(...passes: readonly (readonly Listed[])[]) {
  const [list, table] = [new FakeList(), new ProcessTable(0, true)];
  const subject = new ProcessPass(list);
  for (const [number, each] of passes.entries()) {
    list.set(...each);
    table.begin(number);
    subject.update(table);
  }
  const describe = (pid: number) => {
    const found = table.find(pid);
    return found && [found.state, found.seconds, found.startNs / 1e9];
  };
  return { describe, born: table.born };
}

const first = [
  { tgid: 1, born: 0, ran: 5 },
  { tgid: 7, born: 3, ran: 2 },
  { tgid: 9, born: 4, ran: 1 },
];

test('ProcessPass keeps processes that are only listed', () => {
  const { describe, born } = pass(first, [{ tgid: 1 }, { tgid: 7, ran: 3 }, { tgid: 9 }]);
  assert.deepEqual([1, 7, 9].map(describe), [
    ['alive', 5, 0],
    ['alive', 3, 3],
    ['alive', 1, 4],
  ]);
  assert.deepEqual(born, []);
});

test('ProcessPass ends missing processes, and adds those at the end of the list', () => {
  const next = [{ tgid: 1 }, { tgid: 9, ran: 2 }, { tgid: 3, born: 8, ran: 1 }];
  const { describe, born } = pass(first, next, [{ tgid: 1, ran: 6 }, { tgid: 9 }, { tgid: 3, ran: 4 }]);
  assert.deepEqual([1, 7, 9, 3].map(describe), [
    ['alive', 6, 0],
    ['ending', 2, 3],
    ['alive', 2, 4],
    ['alive', 4, 8],
  ]);
  assert.deepEqual(born, []);
  assert.deepEqual(pass(first, next).born, [3]);
});

test('ProcessPass distinguishes a process from an earlier one with the same pid at the same index', () => {
  const next = [{ tgid: 1 }, { tgid: 7 }, { tgid: 9, born: 6, ran: 0 }];
  const { describe, born } = pass(first, next, [{ tgid: 1 }, { tgid: 7 }, { tgid: 9, ran: 2 }]);
  assert.deepEqual(describe(9), ['alive', 2, 6]);
  assert.deepEqual(born, []);
  assert.deepEqual(pass(first, next).born, [9]);
});

test('ProcessPass finds processes again that are listed in another order', () => {
  const { describe, born } = pass(first, [{ tgid: 9, ran: 3 }, { tgid: 1 }, { tgid: 7, ran: 4 }]);
  assert.deepEqual([1, 7, 9].map(describe), [
    ['alive', 5, 0],
    ['alive', 4, 3],
    ['alive', 3, 4],
  ]);
  assert.deepEqual(born, []);
});

test('ProcessPass applies the CPU time in a record of a known process', () => {
  const { describe, born } = pass(first, [{ tgid: 1 }, { tgid: 7, born: 3, ran: 4 }, { tgid: 9 }]);
  assert.deepEqual(describe(7), ['alive', 4, 3]);
  assert.deepEqual(born, []);
});

/** Runs passes at given times, each followed by reports of ends. */
function openTable() {
  const [list, table] = [new FakeList(), new ProcessTable(0, true)];
  const subject = new ProcessPass(list);
  const brief: (readonly [pid: number, seconds: number])[] = [];
  const passAt = (seconds: number, listed: readonly Listed[], dead: readonly Listed[] = []) => {
    list.set(...listed);
    table.begin(seconds * 1e9);
    subject.update(table);
    for (const each of dead)
      table.addDeath(Uint32Array.from(createRecord(each, 0)), 0, ({ pid, cpuTimeNs }) =>
        brief.push([pid, cpuTimeNs / 1e9]),
      );
    table.finish();
    return table;
  };
  return { passAt, brief };
}

test('ProcessTable assigns the report of an end to a known process, however far apart passes are', () => {
  const { passAt, brief } = openTable();
  const statesAt = (...each: Parameters<typeof passAt>) => {
    const table = passAt(...each);
    return [7, 9].map((pid) => {
      const process = table.find(pid);
      process?.claim();
      return process?.state;
    });
  };
  assert.deepEqual(statesAt(0, first), ['alive', 'alive']);
  assert.deepEqual(statesAt(10, [{ tgid: 1 }]), ['ending', 'ending']);
  assert.deepEqual(statesAt(20, [{ tgid: 1 }], [{ tgid: 7, born: 3, ran: 4 }]), ['dead', undefined]);
  assert.deepEqual(statesAt(30, [{ tgid: 1 }]), [undefined, undefined]);
  assert.deepEqual(brief, []);
});

test('ProcessTable takes only the rest of a process for brief when its report comes after it was given up', () => {
  const { passAt, brief } = openTable();
  passAt(0, first).find(7)?.claim();
  passAt(0.5, [{ tgid: 1 }, { tgid: 7, ran: 3 }]);
  passAt(1, [{ tgid: 1 }]);
  // A suspend, for example.
  passAt(3600, [{ tgid: 1 }]);
  assert.equal(passAt(3601, [{ tgid: 1 }], [{ tgid: 7, born: 3, ran: 4 }]).find(7), undefined);
  assert.deepEqual(brief.splice(0), [[7, 1]]);
  // Another process with its id is a brief one.
  passAt(3602, [{ tgid: 1 }], [{ tgid: 7, born: 3601, ran: 5 }]);
  assert.deepEqual(brief, [[7, 5]]);
});

test('ProcessTable passes on a process that is not claimed, without what it used before the last of several passes', () => {
  const { passAt, brief } = openTable();
  const one = { tgid: 1 };
  passAt(0, first).find(9);
  // Found by a single pass, reported in it or later: all that it used.
  passAt(1, [one, { tgid: 7 }], [{ tgid: 9, born: 4, ran: 2 }]);
  passAt(2, [one, { tgid: 7, ran: 3 }, { tgid: 5, born: 1, ran: 1 }]);
  passAt(3, [one, { tgid: 7 }]);
  passAt(4, [one, { tgid: 7 }], [{ tgid: 5, born: 1, ran: 2 }]);
  assert.deepEqual(brief.splice(0), [
    [9, 2],
    [5, 2],
  ]);
  // Found by several.
  passAt(5, [one, { tgid: 7, ran: 8 }]);
  passAt(6, [one]);
  passAt(7, [one], [{ tgid: 7, born: 3, ran: 10 }]);
  passAt(8, [one, { tgid: 7, born: 7, ran: 1 }]);
  passAt(9, [one, { tgid: 7, ran: 4 }], [{ tgid: 7, born: 7, ran: 5 }]);
  assert.deepEqual(brief, [
    [7, 2],
    [7, 1],
  ]);
});

test('ProcessTable lists the processes that have changed since the previous pass', () => {
  const { passAt } = openTable();
  const changedAt = (...each: Parameters<typeof passAt>) => {
    const table = passAt(...each);
    for (const pid of table.changed) table.find(pid)?.claim();
    return [...new Set(table.changed)].toSorted((a, b) => a - b);
  };
  assert.deepEqual(changedAt(0, first), [1, 7, 9]);
  const [one, seven, nine] = [{ tgid: 1 }, { tgid: 7 }, { tgid: 9 }];
  assert.deepEqual(changedAt(1, [one, seven, nine]), []);
  assert.deepEqual(changedAt(2, [one, { ...seven, ran: 3 }, nine]), [7]);
  // Another name, user or cgroup.
  assert.deepEqual(changedAt(3, [one, { ...seven, born: 3, ran: 3 }, nine]), [7]);
  assert.deepEqual(changedAt(4, [one, seven]), [9]);
  assert.deepEqual(changedAt(5, [one, seven, nine]), [9]);
  assert.deepEqual(changedAt(6, [one, seven]), [9]);
  assert.deepEqual(changedAt(7, [one, seven], [{ tgid: 9, born: 4, ran: 2 }]), [9]);
  assert.deepEqual(changedAt(8, [one, seven]), [9]);
  assert.deepEqual(changedAt(9, [one, seven]), []);
  assert.deepEqual(changedAt(10, [one]), [7]);
  assert.deepEqual(changedAt(14, [one]), []);
  // The report of its end was lost.
  assert.deepEqual(changedAt(20, [one]), [7]);
});
