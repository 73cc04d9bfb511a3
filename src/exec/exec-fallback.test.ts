import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { skip as cannotTrace } from '../linux/bpf/real-kernel.fixture.js';
import { TreeAccounting } from '../linux/bpf/tree-accounting.js';
import { readBootTimeNs } from '../linux/clocks.js';
import { skipWithout } from '../testing/needs.fixture.js';
import { openCommandCpu } from './command-usage.js';
import { main, parse } from './run-exec.fixture.js';

// What the user learns when eBPF is permitted but fails.

// The second one hides what another run has noted of the types.
const hideTypes = 'mount -t tmpfs none /sys/kernel/btf && mount -t tmpfs none /run && exec "$@"';
const withoutTypes = ['unshare', '--mount', 'sh', '-c', hideTypes, 'sh'];
const skip = cannotTrace || skipWithout(withoutTypes);

function runWithoutTypes(args: readonly string[]) {
  const [command = '', ...rest] = [...withoutTypes, process.execPath, main, ...args];
  return spawnSync(command, rest, { encoding: 'utf8' });
}

test('exec says once why it does not divide CPU time by program, where eBPF is permitted', { skip }, () => {
  const { stdout, stderr } = runWithoutTypes(['exec', '-q', '-r', '2', '--json', '-', '/bin/true']);
  assert.match(
    stderr,
    /^joulemetry: Cannot divide the CPU time of the command by program: [^\n]*\/sys\/kernel\/btf\/vmlinux[^\n]*; continuing with its sum\n$/u,
  );
  assert.deepEqual(
    parse(stdout).runs.map((run) => run.cpu_time_source),
    ['perf', 'perf'],
  );
});

test('doctor says why eBPF fails where it is permitted', { skip }, () => {
  const { stdout } = runWithoutTypes([
    'doctor',
    '--set',
    'receivers.process.collection_interval=1s',
    '--json',
  ]);
  const { system } = JSON.parse(stdout) as { system: { name: string; state: string; found: string }[] };
  const { state, found } = system.find(({ name }) => name === 'eBPF') ?? {};
  assert.equal(state, 'note');
  assert.match(found ?? '', /^permitted, but fails: .*\/sys\/kernel\/btf\/vmlinux/u);
});

test(
  'openCommandCpu says why it counts the sum if the tree cannot follow the command',
  { skip: cannotTrace },
  async (t) => {
    const tree = await TreeAccounting.open();
    t.after(() => tree.close());
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    t.after(() => child.kill('SIGKILL'));
    const notes: string[] = [];
    const cpu = openCommandCpu(child.pid ?? 0, {
      tree,
      // Later than its start.
      sinceNs: readBootTimeNs() + 1_000_000_000n,
      noteSum: (reason) => notes.push(reason),
    });
    assert.notEqual(cpu.finish().source, 'ebpf');
    assert.deepEqual(notes, [`expected 1 new child of process ${process.pid}, found 0`]);
  },
);
