import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BusiestProcesses } from './busiest-processes.js';

test('BusiestProcesses has the configured number, by recent CPU time as of the previous scan', () => {
  const busiest = new BusiestProcesses(2, 1000);
  busiest.begin();
  const weights = [5, 1, 9, 7].map((ns) => busiest.weigh(0, ns));
  assert.ok(weights.every((weight) => busiest.has(weight)));
  busiest.begin();
  assert.deepEqual(
    weights.map((weight) => busiest.has(weight)),
    [false, false, true, true],
  );
});

test('BusiestProcesses weighs CPU time of 30 s ago by half', () => {
  const busiest = new BusiestProcesses(1, 10_000);
  let weight = 64;
  for (let scan = 0; scan < 3; scan++) weight = busiest.weigh(weight, 0);
  assert.equal(Math.round(weight), 32);
});

test('BusiestProcesses has all processes if no number is configured', () => {
  const busiest = new BusiestProcesses(0, 1000);
  busiest.begin();
  for (let ns = 0; ns < 3000; ns++) busiest.weigh(0, ns);
  busiest.begin();
  assert.ok(busiest.has(0));
});
