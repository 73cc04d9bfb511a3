import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { Probe } from '../../src/component/probe.js';
import { parseSettings } from '../../src/config/settings.js';
import { createFakeProcfs } from '../../src/identity/fake-procfs.fixture.js';
import { skipFor, skipWithout } from '../../src/testing/needs.fixture.js';
import { schema } from './config.js';
import { probe, probeByTrying } from './probe.js';

const isRoot = process.getuid?.() === 0;
const cannotDropRights = skipFor(!isRoot && 'needs root, to drop its rights');
const becomeNobody = 'process.setgroups([]); process.setgid(65534); process.setuid(65534);';
const inNamespace = ['unshare', '--fork', '--pid', '--mount-proc'];

test('probe finds the processes of this machine', () => {
  const { available, found } = probe(parseSettings(schema, {}));
  assert.equal(available, true);
  assert.match(
    found,
    /^\/proc: \d+ processes, CPU time at most \d+ ms old(, by eBPF, including processes that live for less than a scan)?$/,
  );
});

test('probe reports why eBPF cannot be used, if that was tried', () => {
  const { available, found } = probe(parseSettings(schema, {}), 'Cannot load it: EINVAL');
  assert.equal(available, true);
  assert.match(
    found,
    /^\/proc: \d+ processes, CPU time at most \d+ ms old, not by eBPF: Cannot load it: EINVAL$/,
  );
});

test('probeByTrying agrees with what the privileges and files of this machine promise', async () => {
  const config = parseSettings(schema, {});
  assert.equal(describeSource(await probeByTrying(config)), describeSource(probe(config)));
});

/** The number of processes changes. */
function describeSource({ found }: Probe): string {
  return found.replace(/\d+ processes/, '');
}

test('probe reports that CPU time has the precision of ticks if the procfs is not that of its own PID namespace', () => {
  const procfs = createFakeProcfs();
  procfs.write(7, {});
  const { available, found, remedies } = probe(parseSettings(schema, { procfs: procfs.path }));
  assert.equal(available, true);
  assert.equal(found, `${procfs.path}: 1 processes, CPU time in ticks of 10 ms`);
  assert.match(remedies[0]?.missing ?? '', /^CPU time finer than 10 ms/);
});

test('probe reports what to mount if there is no procfs', () => {
  const { available, found, remedies } = probe(parseSettings(schema, { procfs: '/sys/absent' }));
  assert.equal(available, false);
  assert.match(found, /^Cannot read \/sys\/absent: ENOENT/);
  assert.equal(remedies[0]?.command, 'mount -t proc proc /sys/absent');
});

test(
  'probe reports what it may not read and the capabilities that are required',
  { skip: cannotDropRights },
  () => {
    // All modules must be loaded first: an ordinary user may not be able to enter the folder of the repository.
    const { remedies } = probeIn([], becomeNobody);
    assert.match(
      remedies[0]?.missing ?? '',
      /^CAP_SYS_PTRACE, for the executable path and the service name of \d+ processes$/,
    );
    assert.match(remedies[0]?.command ?? '', /^sudo setpriv .* --ambient-caps \+sys_ptrace /);
    const io = /^CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE, for the disk I\/O of \d+ processes$/;
    assert.match(remedies[2]?.missing ?? '', io);
    const bpf = 'CAP_BPF and CAP_PERFMON, for processes that start and end between two scans';
    assert.equal(remedies.at(-2)?.missing, bpf);
  },
);

test('probe reports what a PID namespace hides', { skip: skipWithout(inNamespace) }, () => {
  const { remedies } = probeIn(inNamespace);
  assert.deepEqual(
    remedies.map(({ missing }) => missing),
    ['the processes outside this container'],
  );
});

test(
  'ProcessReceiver warns once at its start of processes that it cannot see',
  { skip: skipWithout(inNamespace) },
  () => {
    const hidingMount = [
      ...inNamespace,
      'sh',
      '-c',
      'mount -t proc -o hidepid=2 proc /proc && exec "$@"',
      'sh',
    ];
    const all = startIn(hidingMount, becomeNobody);
    const lines = all.filter((line) => line.startsWith('warn'));
    assert.deepEqual(all, lines);
    assert.match(
      lines[0] ?? '',
      /^warn: Cannot see processes that start and end between two scans: .*CAP_BPF and CAP_PERFMON; sudo setpriv /,
    );
    assert.match(
      lines[1] ?? '',
      /^warn: Cannot see the processes of other users, which \/proc hides \(hidepid\): /,
    );
    assert.match(lines[1] ?? '', /stays unattributed, reason unseen; CAP_SYS_PTRACE, for .*: sudo setpriv /);
    assert.match(lines[2] ?? '', /^warn: Cannot see the processes outside this container: .*--pid=host/);
    assert.equal(lines.length, 3);
  },
);

/** Runs the probe in another process, started by `command` after `preparation`. */
function probeIn(command: readonly string[], preparation = ''): Probe {
  const script = `const { probe } = await load('./probe.js');
    ${preparation}
    print(probe(parse({ metrics: { io: true } })));`;
  return runIn(command, script) as Probe;
}

/** Starts and stops a receiver like `probeIn`. @returns the lines that it logged */
function startIn(command: readonly string[], preparation: string): readonly string[] {
  const script = `const { factory } = await load('./factory.js');
    const { createFakeContext, createLogCollector, createTableCollector } = await load('../../src/component/fakes.js');
    ${preparation}
    const log = createLogCollector();
    const receiver = factory.create(parse({}), createFakeContext({ log }), createTableCollector());
    await receiver.start();
    await receiver.flush();
    await receiver.shutdown();
    print(log.lines);`;
  return runIn(command, script) as readonly string[];
}

function runIn(command: readonly string[], script: string): unknown {
  const [name, ...args] = [...command, process.execPath, '--input-type=module', '--eval'];
  const prologue = `const load = (path) => import(new URL(path, ${JSON.stringify(import.meta.url)}));
    const [{ schema }, { parseSettings }] = [await load('./config.js'), await load('../../src/config/settings.js')];
    const parse = (settings) => parseSettings(schema, settings);
    const print = (value) => console.log(JSON.stringify(value));`;
  const { stdout, stderr } = spawnSync(name, [...args, prologue + script], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return JSON.parse(stdout) as unknown;
}
