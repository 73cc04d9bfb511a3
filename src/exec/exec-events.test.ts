import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { perfEventsRefused } from '../linux/perf/refused.fixture.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { exec } from './run-exec.fixture.js';

interface Report {
  readonly runs: readonly {
    readonly wall_time_s: number;
    readonly events: readonly {
      readonly name: string;
      readonly unit: string;
      readonly value: number | null;
      readonly rate_per_s: number | null;
      readonly note: string | null;
    }[];
  }[];
}

test('exec -e counts events of the command, for people and for machines', { skip: perfEventsRefused }, () => {
  const { status, stdout, stderr } = exec([
    '-e',
    'page-faults,page-faults',
    '-e',
    'task-clock',
    '--json',
    '-',
    'true',
  ]);
  assert.equal(status, 0);
  assert.match(stderr, /^ {2}page-faults +\d+ +[\d.]+ k?\/s$/m);
  assert.match(stderr, /^ {2}task-clock +[\d.]+ [mµ]s +[\d.]+ CPUs$/m);
  const [{ events, wall_time_s: seconds }] = (JSON.parse(stdout) as Report).runs;
  assert.deepEqual(
    events.map(({ name, unit, value }) => [name, unit, value === null]),
    [
      ['page-faults', '{event}', false],
      ['task-clock', 's', false],
    ],
  );
  const [{ value, rate_per_s: rate }] = events;
  assert.ok(Math.abs((rate ?? 0) * seconds - (value ?? 0)) < 1e-6, JSON.stringify(events));
});

test('exec exits with 2 and runs nothing, when its events cannot be understood', () => {
  const { status, stdout, stderr } = exec(['-e', 'cycles:x', 'echo', 'ran']);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, /^Cannot parse events "cycles:x" at character 8: /);
});

test('exec exits with 2 and runs nothing, when this machine does not know one of its events', () => {
  const { status, stdout, stderr } = exec(['-e', 'page-faults,nonsense,nope/config=1/', 'echo', 'ran']);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(
    stderr,
    /^Cannot count event "nonsense": expected an event of this machine, found none of this name.*\nCannot count event "nope/,
  );
});

/** The modules of this program that a run loaded, by the coverage that Node writes. */
function listLoaded(args: readonly string[]): readonly string[] {
  const folder = createFolder();
  assert.equal(exec(args, { env: { ...process.env, NODE_V8_COVERAGE: folder } }).status, 0);
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  return texts.flatMap((text) => text.match(/src\/[\w/-]+\.js/g) ?? []);
}

const forEvents = [
  ...['grammar', 'resolve', 'groups', 'place', 'libpfm'].map((name) => `src/linux/perf/${name}.js`),
  'src/exec/command-counters.js',
];

test('exec loads what counts events only when it is asked for', () => {
  const [asked, plain] = [['-e', 'cs'], []].map((args) => new Set(listLoaded(['-q', ...args, 'true'])));
  assert.deepEqual(
    forEvents.map((path) => [asked?.has(path), plain?.has(path)]),
    forEvents.map(() => [true, false]),
  );
});
