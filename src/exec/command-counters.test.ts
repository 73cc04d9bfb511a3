import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startHeld } from '../linux/held-child.js';
import { closePerfEvent, openPerfEvent, perfType } from '../linux/perf/event.js';
import { perfEventsRefused } from '../linux/perf/refused.fixture.js';
import { CommandEvents, type CommandCounts } from './command-counters.js';

const withoutPerf = spawnSync('perf', ['--version']).error
  ? 'perf is not installed (Debian: linux-perf)'
  : perfEventsRefused;

async function count(
  events: readonly string[],
  command: readonly [string, ...string[]],
): Promise<CommandCounts> {
  const [program, ...args] = command;
  const child = await startHeld(program, args);
  const counters = new CommandEvents(events).open(child.pid);
  child.release();
  await child.ended;
  return counters.finish();
}

function askPerf(events: string, command: readonly string[]): ReadonlyMap<string, number> {
  const { stderr } = spawnSync('perf', ['stat', '-x', ';', '-e', events, '--', ...command]);
  return parsePerf(stderr.toString());
}

function parsePerf(output: string): ReadonlyMap<string, number> {
  const lines = output.trim().split('\n');
  return new Map(lines.map((line) => line.split(';')).map(([value, , name = '']) => [name, Number(value)]));
}

const valueOf = ({ events }: CommandCounts, name: string): number =>
  events.find((event) => event.name === name)?.value ?? NaN;

function assertNear(found: number, wanted: number, ratio: number): void {
  assert.ok(Math.abs(found - wanted) <= wanted * ratio + 3, `expected ${wanted}, found ${found}`);
}

// 200 processes that touch the same pages every time.
const forks = ['sh', '-c', 'i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done'] as const;

test(
  'CommandEvents counts page faults of a whole tree as perf stat does',
  { skip: withoutPerf },
  async () => {
    const own = await count(['page-faults,minor-faults', 'major-faults'], forks);
    const perf = askPerf('page-faults,minor-faults,major-faults', forks);
    assertNear(valueOf(own, 'page-faults'), perf.get('page-faults') ?? 0, 0.01);
    assertNear(valueOf(own, 'minor-faults'), perf.get('minor-faults') ?? 0, 0.01);
    assert.equal(valueOf(own, 'page-faults'), valueOf(own, 'minor-faults') + valueOf(own, 'major-faults'));
  },
);

const tracefs = '/sys/kernel/tracing/events/sched/sched_process_exec/id';
const withoutTracefs = spawnSync('cat', [tracefs]).status === 0 ? withoutPerf : `${tracefs} cannot be read`;

test('CommandEvents counts tracepoints as perf stat does', { skip: withoutTracefs }, async () => {
  const events = 'sched:sched_process_exec,sched:sched_process_fork';
  const own = await count([events], forks);
  const perf = askPerf(events, forks);
  // The shell that waits for its start is gone with the command's own execve, which counts as in perf.
  assert.equal(valueOf(own, 'sched:sched_process_exec'), perf.get('sched:sched_process_exec'));
  assert.equal(valueOf(own, 'sched:sched_process_fork'), 200);
});

test('CommandEvents gives clocks in seconds', { skip: perfEventsRefused }, async () => {
  const counts = await count(['task-clock,cpu-clock'], forks);
  const [task, cpu] = ['task-clock', 'cpu-clock'].map((name) => valueOf(counts, name));
  assert.ok(task > 0.001 && task < 60, `${task} s`);
  assertNear(cpu * 1e6, task * 1e6, 0.2);
});

/** Work of some 0.2 s, most of it in the kernel, with switches between processes. */
const work = 'for i in 1 2 3 4 5; do dd if=/dev/zero bs=1 count=40000 status=none | cat > /dev/null; done';

test(
  'CommandEvents says the same of a run as perf stat, which watches it, too',
  { skip: withoutPerf },
  async () => {
    const names = ['task-clock', 'page-faults', 'context-switches', 'cpu-migrations'] as const;
    const child = await startHeld('sh', ['-c', work]);
    const control = ['-x', ';', '--control', 'fd:3,4', '-p', String(child.pid)];
    const perf = spawn('perf', ['stat', '-e', names.join(','), ...control], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    const [, , errors, commands, replies] = perf.stdio;
    assert.ok(errors && commands instanceof Writable && replies instanceof Readable);
    const output = text(errors);
    commands.write('enable\n');
    // Its answer reports that it counts.
    await Promise.race([once(replies, 'data'), once(perf, 'exit')]);
    const counters = new CommandEvents(names).open(child.pid);
    child.release();
    await child.ended;
    const own = counters.finish();
    const theirs = parsePerf(await output);
    // perf has counted the last of the shell that waited, too: some 0.3 ms.
    assertNear(valueOf(own, 'task-clock') * 10_000, (theirs.get('task-clock') ?? 0) * 10, 0.01);
    for (const name of names.slice(1)) assertNear(valueOf(own, name), theirs.get(name) ?? 0, 0.01);
  },
);

function findHardware(): string | false {
  try {
    const event = { name: 'cycles', type: perfType.hardware, config: 0, excludeKernel: true };
    closePerfEvent(openPerfEvent({ ...event, pid: 0, cpu: -1 }));
    return 'this machine counts cycles';
  } catch {
    return false;
  }
}

test('CommandEvents reports what is not counted, and why', { skip: findHardware() }, async () => {
  const { events, ratios } = await count(['cycles', 'page-faults:u'], ['true']);
  assert.deepEqual(
    events.map(({ name, value, runningRatio }) => [name, value === undefined, runningRatio]),
    [
      ['cycles', true, undefined],
      ['page-faults:u', false, 1],
    ],
  );
  assert.match(events[0].note ?? '', /^E\w+, /);
  assert.deepEqual(ratios, []);
});

test('CommandEvents refuses an event that this machine does not know', () => {
  assert.throws(() => new CommandEvents(['cs', 'nonsense']), {
    name: 'UsageError',
    message: /^Cannot count event "nonsense": expected an event of this machine, found none of this name/,
  });
});

test('CommandEvents refuses a list that cannot be understood', () => {
  assert.throws(() => new CommandEvents(['cs', 'cycles:x']), {
    name: 'UsageError',
    message: /^Cannot parse events "cycles:x" at character 8: /,
  });
});
