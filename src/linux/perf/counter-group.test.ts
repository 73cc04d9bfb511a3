import assert from 'node:assert/strict';
import { appendFileSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../testing/temporary-folder.fixture.js';
import { burnCpuMs } from '../burn-cpu.fixture.js';
import { CounterGroup, groupReadFormat } from './counter-group.js';
import { openPerfEvent, perfType, softwareEvent } from './event.js';
import { perfEventsRefused } from './refused.fixture.js';

/** What the kernel would return, read by read: time enabled, time running, one value per counter. */
function createGroup(reads: readonly (readonly bigint[])[]): CounterGroup {
  const path = join(createFolder(), 'reads');
  const words = reads.flatMap((read) => [BigInt(read.length - 2), ...read]);
  writeFileSync(path, new Uint8Array(BigUint64Array.from(words).buffer));
  return new CounterGroup([openSync(path, 'r')], reads[0].length - 2);
}

function show(group: CounterGroup): readonly number[] {
  const counts = Array.from({ length: group.width }, (_, index) => group.countOf(index));
  return [group.enabledNs, group.runningNs, ...counts];
}

test('CounterGroup counts from the opening, until it is rebased', () => {
  const group = createGroup([
    [100n, 50n, 7n, 9n],
    [150n, 80n, 8n, 9n],
    [200n, 90n, 8n, 19n],
  ]);
  assert.ok(group.read());
  assert.deepEqual(show(group), [100, 50, 7, 9]);
  group.rebase();
  assert.deepEqual(show(group), [0, 0, 0, 0]);
  assert.ok(group.read());
  assert.deepEqual(show(group), [50, 30, 1, 0]);
  group.rebaseCounter(0);
  assert.ok(group.read());
  assert.deepEqual(show(group), [100, 40, 0, 10]);
  group.close();
});

test('CounterGroup takes differences before it rounds, across the halves of a count', () => {
  // As doubles the first two counts would be equal.
  const first = 2n ** 63n + 2n ** 32n - 1n;
  const group = createGroup([
    [1n, 1n, first],
    [2n, 2n, first + 1n],
    [3n, 3n, first + 2n ** 53n],
  ]);
  const counts = [0, 1, 2].map(() => {
    group.read();
    const count = group.countOf(0);
    group.rebase();
    return count;
  });
  assert.deepEqual(counts.slice(1), [1, 2 ** 53 - 1]);
  group.close();
});

test('CounterGroup fails to read, when the kernel returns less than a whole group', () => {
  const group = createGroup([[1n, 1n, 5n, 5n], [2n]]);
  const errors = Array.from({ length: 4 }, () => (group.read() ? 'none' : group.error));
  assert.deepEqual(errors, [
    'none',
    'expected 40 bytes, found 16, as for a group on a CPU that went offline',
    ...Array.from(
      { length: 2 },
      () => 'expected 40 bytes, found 0, as for a pinned event that has lost its counter to another program',
    ),
  ]);
  group.close();
});

test('CounterGroup counts on and has no error, once it can be read again', () => {
  const path = join(createFolder(), 'reads');
  const append = (count: bigint) =>
    appendFileSync(path, new Uint8Array(BigUint64Array.of(1n, 1n, 1n, count).buffer));
  append(5n);
  const group = new CounterGroup([openSync(path, 'r')]);
  assert.deepEqual([group.read(), group.countOf(0)], [true, 5]);
  assert.equal(group.read(), false);
  append(7n);
  assert.deepEqual([group.read(), group.error, group.countOf(0)], [true, undefined, 7]);
  group.close();
});

test('CounterGroup.close closes nothing the second time, and nothing is read afterwards', () => {
  const group = createGroup([[1n, 1n, 5n]]);
  group.close();
  const reused = openSync('/dev/zero', 'r');
  assert.equal(group.read(), false);
  group.close();
  const own = new CounterGroup([reused]);
  assert.ok(own.read(), 'its descriptor is still open');
  own.close();
});

test('CounterGroup reads what the kernel counts', { skip: perfEventsRefused }, () => {
  const place = {
    pid: 0,
    cpu: -1,
    excludeKernel: true,
    excludeHypervisor: true,
    readFormat: groupReadFormat,
  };
  const clock = { ...place, name: 'task-clock', type: perfType.software, config: softwareEvent.taskClock };
  const leader = openPerfEvent(clock);
  const group = new CounterGroup([leader, openPerfEvent({ ...clock, groupFd: leader })]);
  group.read();
  group.rebase();
  burnCpuMs(20);
  assert.ok(group.read());
  const [enabledNs, runningNs, first, second] = show(group);
  group.close();
  assert.equal(enabledNs, runningNs);
  assert.ok(first > 1e6 && Math.abs(first - second) < 0.1 * first, `${first} and ${second} ns`);
});
