import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventCount } from './command-events.js';
import { eventRows } from './event-rows.js';

const count = (name: string, value: number | undefined, more: Partial<EventCount> = {}): EventCount => ({
  name,
  unit: '{event}',
  value,
  runningRatio: value === undefined ? undefined : 1,
  note: undefined,
  ...more,
});

test('eventRows gives counts, rates and ratios, each in its unit', () => {
  const events = [
    count('cycles', 4_000_000_000),
    count('instructions', 5_000_000_000, { runningRatio: 0.5 }),
    count('cache-misses', 12, { note: 'in user space only' }),
    count('task-clock', 1.5, { unit: 's' }),
    count('reads', 5e9, { unit: 'By' }),
    count('energy', 30, { unit: 'J' }),
  ];
  const ratios = [
    { kind: 'instructions_per_cycle', name: 'instructions', of: 'cycles', value: 1.25 },
    { kind: 'cache_miss_ratio', name: 'cache-misses', of: 'cache-references', value: 0.25 },
  ] as const;
  assert.deepEqual(eventRows({ events, ratios }, 2), [
    ['', 'count', 'rate', ''],
    ['cycles', '4,000,000,000', '2.000 G/s', ''],
    ['instructions', '5,000,000,000', '2.500 G/s', '1.25 per cycle; counted 50.0 % of the time, scaled'],
    ['cache-misses', '12', '6.000 /s', '25.0 % of cache-references; in user space only'],
    ['task-clock', '1.500 s', '0.750 CPUs', ''],
    ['reads', '5.000 GB', '2.500 GB/s', ''],
    ['energy', '30.00 J', '15.00 W', ''],
  ]);
});

test('eventRows says why there is no count', () => {
  const events = [
    count('cycles', undefined, { note: 'ENOENT, this machine does not count it' }),
    count('branches', undefined, { runningRatio: 0, note: 'it never had its turn' }),
  ];
  assert.deepEqual(eventRows({ events, ratios: [] }, 2).slice(1), [
    ['cycles', '<not supported>', '', 'ENOENT, this machine does not count it'],
    ['branches', '<not counted>', '', 'it never had its turn'],
  ]);
});
