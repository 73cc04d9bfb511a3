import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CounterHealth, findPackage, findTwins, Twins } from './counter-health.js';
import type { Domain } from './domain.js';

test('CounterHealth publishes a counter that has counted before, and another one only once it moves', () => {
  const [counted, fresh] = [new CounterHealth(true, 0), new CounterHealth(false, 0)];
  counted.look(0, 0, 1_000);
  fresh.look(0, 500, 1_000);
  assert.deepEqual([counted.state, fresh.state], ['resting', 'unknown']);
  fresh.look(0, 50_000, 3_600_000);
  assert.equal(fresh.state, 'unknown');
  fresh.look(0.001, 50_000, 3_601_000);
  assert.equal(fresh.state, 'alive');
});

test('CounterHealth considers a part dead when it does not change while its package draws 200 J in a minute', () => {
  const part = new CounterHealth(true, 0);
  part.look(5, 0, 0);
  part.look(5, 200, 59_999);
  assert.equal(part.state, 'resting');
  part.look(5, 199, 60_000);
  assert.equal(part.state, 'resting');
  part.look(5, 200, 60_001);
  assert.equal(part.state, 'dead');
  part.look(5.1, 210, 61_000);
  assert.equal(part.state, 'alive');
});

test('CounterHealth counts the minute from the last movement', () => {
  const part = new CounterHealth(true, 0);
  part.look(0, 0, 0);
  part.look(1, 1_000, 50_000);
  part.look(1, 2_000, 100_000);
  assert.equal(part.state, 'resting');
  part.look(1, 2_000, 110_000);
  assert.equal(part.state, 'dead');
});

test('CounterHealth keeps an idle part whose package draws nothing, is not read, or proves nothing', () => {
  const [idle, unread, uncore] = [
    new CounterHealth(true, 0),
    new CounterHealth(true, 0),
    new CounterHealth(true, 0),
  ];
  for (const ms of [0, 100_000, 3_600_000]) {
    idle.look(0, 0, ms);
    unread.look(0, NaN, ms);
    uncore.look(0, undefined, ms);
  }
  assert.deepEqual([idle.state, unread.state, uncore.state], ['resting', 'resting', 'resting']);
});

test('CounterHealth restarts its count with a package whose counter is reset', () => {
  const part = new CounterHealth(true, 0);
  part.look(1, 500, 10_000);
  part.look(1, 0, 100_000);
  part.look(1, 199, 200_000);
  assert.equal(part.state, 'resting');
  part.look(1, 200, 200_001);
  assert.equal(part.state, 'dead');
});

test('findPackage finds the package of a part, and none for an integrated GPU, which may be idle', () => {
  const domains: readonly Domain[] = [
    { kind: 'package', package: 0 },
    { kind: 'package', package: 1 },
  ];
  const find = (domain: Domain) => findPackage(domains, domain);
  assert.deepEqual(
    [
      find({ kind: 'dram', package: 1 }),
      find({ kind: 'psys', package: 0 }),
      find({ kind: 'core', package: 2 }),
      find({ kind: 'uncore', package: 0 }),
      find({ kind: 'package', package: 0 }),
    ],
    [1, 0, undefined, undefined, undefined],
  );
});

function die(kind: Domain['kind'], packageId: number, number: number): Domain {
  return { kind, package: packageId, die: number };
}

test('findTwins finds dies of one package, and psys of several sockets', () => {
  const domains: readonly Domain[] = [
    die('package', 0, 0),
    die('package', 0, 1),
    die('dram', 0, 0),
    die('dram', 0, 1),
    die('package', 1, 0),
    { kind: 'core', package: 0 },
    { kind: 'psys', package: 0 },
    { kind: 'psys', package: 1 },
  ];
  const find = (path: string) => findTwins(domains.map((domain) => ({ domain, path })));
  assert.deepEqual(find('zone'), [
    [0, 1],
    [2, 3],
    [6, 7],
  ]);
  assert.deepEqual(find(''), []);
});

/** Compares two counters with the values of the rows, one row per comparison, and returns the verdict after each. */
function compare(rows: readonly (readonly [a: number | undefined, b: number | undefined])[]): string[] {
  const twins = new Twins(['a', 'b']);
  return rows.map(([a, b]) => {
    twins.compare((path) => (path === 'a' ? a : b));
    return twins.verdict;
  });
}

test('Twins considers counters the same when they are equal before and after they moved', () => {
  assert.deepEqual(
    compare([
      [5, 5],
      [5, 5],
      [9, 9],
    ]),
    ['unknown', 'unknown', 'same'],
  );
});

test('Twins proves nothing by counters that are at 0 or unreadable', () => {
  assert.deepEqual(
    compare([
      [0, 0],
      [0, 0],
      [5, undefined],
      [undefined, 6],
      [7, 7],
    ]),
    ['unknown', 'unknown', 'unknown', 'unknown', 'unknown'],
  );
});

test('Twins separates counters that were equal at one instant', () => {
  assert.deepEqual(
    compare([
      [5, 5],
      [8, 7],
      [11, 9],
    ]),
    ['unknown', 'unknown', 'different'],
  );
});

test('Twins separates counters immediately when their energies differ widely', () => {
  assert.deepEqual(compare([[5_000_000_000, 10_000_000_000]]), ['different']);
});

test('Twins does not treat a torn reading as a difference', () => {
  assert.deepEqual(
    compare([
      [500, 500],
      [800, 80],
      [900, 900],
    ]),
    ['unknown', 'unknown', 'same'],
  );
});

test('Twins reverses its verdict when counters that moved alike start to differ', () => {
  assert.deepEqual(
    compare([
      [5, 5],
      [8, 8],
      [12, 11],
      [15, 13],
      [16, 16],
    ]),
    ['unknown', 'same', 'same', 'different', 'different'],
  );
});

test('Twins compares with two readings of one counter, since both move meanwhile', () => {
  let microjoules = 100;
  const twins = new Twins(['a', 'b', 'c']);
  for (let i = 0; i < 3; i++) twins.compare(() => microjoules++);
  assert.equal(twins.verdict, 'same');
});

test('Twins decides by one difference when it has to', () => {
  const twins = new Twins(['a', 'b']);
  twins.settle((path) => (path === 'a' ? 5 : 6));
  assert.equal(twins.verdict, 'different');
  const still = new Twins(['a', 'b']);
  still.settle(() => 5);
  assert.equal(still.verdict, 'unknown');
});
