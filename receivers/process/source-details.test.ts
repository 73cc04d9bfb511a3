import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { pageSize } from '../../src/linux/libc.js';
import { FakeMachine } from './fake-machine.fixture.js';

const gibibytePages = 2 ** 30 / pageSize;

interface Details {
  readonly residentPages: number;
  readonly threads?: number;
  readonly userNs?: number;
  readonly systemNs?: number;
}

/** A process that sleeps or runs, of which the source knows memory and threads. Its files have other values. */
class Process {
  readonly machine: FakeMachine;
  readonly pid = 7;
  #ns = 0;

  constructor(t: TestContext, settings = {}) {
    this.machine = new FakeMachine(t);
    this.machine.open({ detail_limit: 1, ...settings });
    this.machine.procfs.write(this.pid, { residentPages: 1, threads: 1, userTicks: 1, systemTicks: 0 });
    this.machine.revisions.set(this.pid, 0);
    this.machine.taskStates.set(this.pid, 'S');
    this.machine.cpuNs.set(this.pid, 0);
    // Its identity is read at the first scans, less often later.
    for (let scan = 0; scan < 40; scan++) this.run({ residentPages: 1 });
  }

  /** @returns its values after a scan */
  know({ residentPages, threads = 1, userNs = 1, systemNs = 0 }: Details): Record<string, number> {
    this.machine.details.set(this.pid, [residentPages, gibibytePages, threads, userNs, systemNs]);
    return this.machine.scan().valuesOf(this.pid);
  }

  run(details: Details): Record<string, number> {
    this.#ns += 1e9;
    this.machine.cpuNs.set(this.pid, this.#ns);
    return this.know(details);
  }
}

test('ProcessScraper takes memory and threads from a source that knows them, and reads no files', (t) => {
  const process = new Process(t);
  for (const residentPages of [2, 3, 4]) {
    const values = process.run({ residentPages });
    assert.equal(values['memory.usage'], residentPages * pageSize);
    assert.equal(values['memory.virtual'], 2 ** 30);
    assert.equal(values['thread.count'], 1);
  }
});

test('ProcessScraper takes the memory of a process that has not run from the source at once', (t) => {
  const process = new Process(t);
  assert.equal(process.know({ residentPages: 5 })['memory.usage'], 5 * pageSize);
  assert.equal(process.know({ residentPages: 4 })['memory.usage'], 4 * pageSize);
});

test('ProcessScraper divides the time of a single thread as the source does', (t) => {
  const process = new Process(t);
  const before = process.run({ residentPages: 1, userNs: 40e9, systemNs: 0 });
  const after = process.run({ residentPages: 1, userNs: 21e9, systemNs: 21e9 });
  const growth = (mode: string) => (after[`cpu.time ${mode}`] ?? NaN) - (before[`cpu.time ${mode}`] ?? NaN);
  // The kernel's division is of all time so far; user time never decreases.
  assert.deepEqual([growth('user'), growth('system')], [0, 1]);
});

test('ProcessScraper reads the file of a busy process with threads, whose user time the source does not know', (t) => {
  const process = new Process(t);
  const threads = { residentPages: 9, threads: 2 };
  for (let scan = 0; scan < 3; scan++) process.run(threads);
  const values = process.run(threads);
  assert.equal(values['memory.usage'], pageSize);
  assert.equal(values['thread.count'], 1);
});

test('ProcessScraper reads the file if page faults are wanted, which the source does not know', (t) => {
  const process = new Process(t, { metrics: { faults: true } });
  assert.equal(process.run({ residentPages: 9 })['memory.usage'], pageSize);
});
