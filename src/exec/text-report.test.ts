import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventCount } from './command-counters.js';
import { reportRepeat, type RunReport } from './report.js';
import { energy, programOf, run, runOf, runWith } from './report.fixture.js';
import { createTextReport, eventRows, formatCells } from './text-report.js';

test('createTextReport says everything about a run', () => {
  const text = createTextReport({ command: ['sh', '-c', 'make all'], runs: [run], repeat: undefined });
  assert.equal(
    text,
    `
joulemetry exec: sh -c "make all"

  wall time    2.000 s   exit code 0
  CPU time     3.000 s   150 % of one CPU; user 2.500 s, system 500.0 ms
  max RSS     12.30 MB   of the largest process

               energy      mean      peak
  package-0   20.00 J   10.00 W   12.50 W   measured, +-5.800 mJ
  dram-0      5.000 J   2.500 W         -   estimated, see joulemetry doctor
  machine     25.00 J   12.50 W

  command          15.00 J   60.0 %   +-1.500 J, attributed by CPU time
  idle             8.000 J   32.0 %   used even when nothing runs
  others           2.000 J    8.0 %   all other processes
  above baseline   17.00 J            baseline 4.000 W, measured for 1.000 s before
`,
  );
});

const textOf = (one: RunReport) => createTextReport({ command: ['true'], runs: [one], repeat: undefined });

test('createTextReport reports it, when idle power, energy or exact CPU time are not known', () => {
  const unknown = {
    ...energy,
    isIdleKnown: false,
    shares: { command: 20, commandUncertainty: undefined, idle: 0, others: 5 },
  };
  assert.match(textOf({ ...run, energy: unknown }), /command .* includes idle energy/);
  assert.doesNotMatch(textOf({ ...run, energy: unknown }), /^ {2}idle/m);
  const persisted = { ...energy, floorSources: ['persisted'] };
  assert.match(textOf({ ...run, energy: persisted }), /^ {2}idle .* as learned earlier \(--floor\)$/m);
  const [domain] = energy.domains;
  assert.ok(domain);
  const still = { ...energy, domains: [{ ...domain, uncertaintyJoules: NaN }] };
  assert.match(textOf({ ...run, energy: still }), /^ {2}package-0 .* measured$/m);
  assert.match(textOf({ ...run, energy: undefined }), /No energy: .*joulemetry doctor/);
  const cpu = { ...run.cpu, source: 'procfs' as const, refusal: 'Cannot open perf event' };
  assert.match(textOf({ ...run, cpu }), /rounded to ticks of 10 ms: Cannot open perf event/);
});

test('createTextReport has a table by program, whose last line sums up those beyond ten', () => {
  const compilers = [programOf('cc1', 120, 2), programOf('as', 1000, 0.5)];
  const text = textOf({ ...run, programs: [...compilers, programOf('make', 1, 0.5)] });
  assert.ok(
    text.endsWith(`
  program   processes   CPU time             energy
  cc1             120    2.000 s   66.7 %   4.000 J
  as            1,000   500.0 ms   16.7 %   1.000 J
  make              1   500.0 ms   16.7 %   1.000 J
`),
    text,
  );
  const many = Array.from({ length: 12 }, (_, i) => programOf(`program${i}`, 2, 0.25));
  const cut = textOf({ ...run, programs: many });
  assert.match(cut, /^ {2}program9 .*\n {2}2 others +4 +500\.0 ms +16\.7 % +1\.000 J\n$/m);
  assert.doesNotMatch(cut, /program10/);
  const all = textOf({ ...run, programs: many.slice(0, 11), energy: undefined });
  assert.match(all, /program10/);
});

test('createTextReport has no table by program, for a command that is one process', () => {
  assert.equal(textOf({ ...run, programs: [programOf('true', 1, 3)] }), textOf(run));
});

test('createTextReport names the signal and cuts a long command', () => {
  const end = { exitCode: 143, signal: 'SIGTERM' } as const;
  const text = createTextReport({ command: ['x'.repeat(200)], runs: [{ ...run, end }], repeat: undefined });
  assert.match(text, /^ {2}wall time +2\.000 s +killed by SIGTERM$/m);
  assert.match(text, /^joulemetry exec: x{80}\.\.\.$/m);
});

test('createTextReport sums up several runs, and reports when they drift', () => {
  const runs = [2, 2.1, 2.2, 2.3, 2.4].map(runOf);
  const text = createTextReport({ command: ['true'], runs, repeat: reportRepeat(runs) });
  assert.match(text, /^ {2}wall time +2\.200 s +\+-196\.3 ms +2\.200 s +2\.000 s$/m);
  assert.match(text, /5 runs after a warm-up; energy not available/);
  assert.match(text, /The runs show a trend/);
});

test('createTextReport lists events beneath the rest', () => {
  const counts = {
    events: [
      { name: 'page-faults', unit: '{event}', value: 1234, runningRatio: 1, note: undefined },
      {
        name: 'cycles',
        unit: '{event}',
        value: undefined,
        runningRatio: undefined,
        note: 'ENOENT, not here',
      },
    ],
    ratios: [],
  } as const;
  assert.match(
    textOf(runWith(counts)),
    /before\n\n +count +rate\n {2}page-faults +1,234 +617\.0 \/s\n {2}cycles +<not supported> +ENOENT, not here\n$/,
  );
  const runs = [1000, 1002].map((value) => runWith({ events: [{ ...counts.events[0], value }], ratios: [] }));
  const text = createTextReport({ command: ['true'], runs, repeat: reportRepeat(runs) });
  assert.match(text, /^ {2}page-faults +1,001 +\+-13 +1,001 +1,000$/m);
});

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
    ['instructions', '5,000,000,000', '2.500 G/s', '1.25 per cycle; counted for 50.0 % of the time, scaled'],
    ['cache-misses', '12', '6.000 /s', '25.0 % of cache-references; in user space only'],
    ['task-clock', '1.500 s', '0.750 CPUs', ''],
    ['reads', '5.000 GB', '2.500 GB/s', ''],
    ['energy', '30.00 J', '15.00 W', ''],
  ]);
});

test('eventRows reports why there is no count', () => {
  const events = [
    count('cycles', undefined, { note: 'ENOENT, this machine does not count it' }),
    count('branches', undefined, { runningRatio: 0, note: 'it never had its turn' }),
  ];
  assert.deepEqual(eventRows({ events, ratios: [] }, 2).slice(1), [
    ['cycles', '<not supported>', '', 'ENOENT, this machine does not count it'],
    ['branches', '<not counted>', '', 'it never had its turn'],
  ]);
});

test('formatCells puts numbers to the right and words to the left', () => {
  const lines = formatCells([
    ['', 'energy', ''],
    ['machine', '1.2 J', 'measured'],
    ['cpu', '10.25 J', ''],
  ]);
  assert.deepEqual(lines, ['             energy', '  machine     1.2 J   measured', '  cpu       10.25 J']);
});
