import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFolder } from '../../testing/temporary-folder.fixture.js';
import { createSpec } from '../machine-spec.js';
import { SimulatedTree } from './simulated-tree.js';
import { readTruth } from './truth.fixture.js';

/** A tree in simulated time. */
function writeTree(t: TestContext, spec: Parameters<typeof createSpec>[0], us: readonly number[]): string {
  const root = createFolder();
  const boot = { sinceBootNs: 5_000_000_000n, wallNs: 1_700_000_000_000_000_000n };
  const tree = new SimulatedTree({ spec: createSpec(spec), root, boot });
  t.after(() => tree.close());
  for (const each of us) tree.write(each, () => boot.wallNs);
  return root;
}

const read = (path: string) => readFileSync(path, 'utf8');

test('SimulatedTree lays powercap out as the kernel does', (t) => {
  const root = writeTree(t, { gpus: 1 }, [0]);
  const powercap = `${root}/sys/class/powercap`;
  assert.equal(
    readlinkSync(`${powercap}/intel-rapl:0:2`),
    '../../devices/virtual/powercap/intel-rapl/intel-rapl:0/intel-rapl:0:2',
  );
  assert.ok(readdirSync(powercap).every((name) => lstatSync(join(powercap, name)).isSymbolicLink()));
  const names = readdirSync(powercap).filter((name) => name.includes(':'));
  assert.deepEqual(
    names.toSorted().map((name) => `${name} ${read(`${powercap}/${name}/name`).trim()}`),
    [
      'intel-rapl:0 package-0',
      'intel-rapl:0:0 core',
      'intel-rapl:0:1 uncore',
      'intel-rapl:0:2 dram',
      'intel-rapl:1 package-1',
      'intel-rapl:1:0 core',
      'intel-rapl:1:1 uncore',
      'intel-rapl:1:2 dram',
      'intel-rapl:2 psys',
    ],
  );
  assert.equal(read(`${powercap}/intel-rapl:0/max_energy_range_uj`), '262143328850\n');
  assert.match(read(`${powercap}/intel-rapl:0/energy_uj`), /^\d{12}\n$/);
});

test('SimulatedTree writes faults into the counters, and lists them in the truth', (t) => {
  const second = 1_000_000;
  const faults = [
    { kind: 'torn', atUs: second, forUs: second, domain: 'package-0' },
    { kind: 'empty', atUs: second, forUs: second, domain: 'dram-0' },
    { kind: 'hotplug', atUs: second, forUs: second, domain: 'core-0' },
    { kind: 'offline', atUs: second, forUs: second, cpu: 3 },
  ] as const;
  const during = writeTree(t, { faults }, [0, 1.5 * second]);
  const zone = '/sys/class/powercap/intel-rapl:0';
  assert.match(read(`${during}${zone}/energy_uj`), /^\d+$/);
  assert.equal(read(`${during}${zone}:2/energy_uj`), '');
  assert.equal(existsSync(`${during}${zone}:0`), false);
  assert.equal(read(`${during}/sys/devices/system/cpu/online`), '0-2,4-15\n');
  assert.equal(read(`${during}/sys/devices/system/cpu/cpu3/online`), '0\n');
  assert.doesNotMatch(read(`${during}/proc/stat`), /^cpu3 /m);
  assert.deepEqual(
    readTruth(during).map((step) => step.faults),
    [
      [],
      [
        { kind: 'torn', domain: 'package-0' },
        { kind: 'empty', domain: 'dram-0' },
        { kind: 'hotplug', domain: 'core-0' },
        { kind: 'offline', cpu: 3 },
      ],
    ],
  );
  const after = writeTree(t, { faults }, [0, 1.5 * second, 2.5 * second]);
  assert.match(read(`${after}${zone}/energy_uj`), /^\d{12}\n$/);
  assert.match(read(`${after}${zone}:0/energy_uj`), /^\d{12}\n$/);
  assert.match(read(`${after}/proc/stat`), /^cpu3 /m);
});

test('SimulatedTree shows each process while it lives, and its cgroup with all that it used', (t) => {
  const root = writeTree(t, { arrivalsPerSecond: 20 }, [0, 5_000_000, 9_000_000]);
  const last = readTruth(root).at(-1);
  const pids = readdirSync(`${root}/proc`)
    .map(Number)
    .filter((pid) => pid > 0);
  assert.deepEqual(new Set(pids), new Set(last?.processes.map(({ pid }) => pid)));
  const busyUs = Math.floor((last?.busy_ns ?? 0) / 1000);
  assert.match(read(`${root}/cgroup/cpu.stat`), new RegExp(`^usage_usec ${busyUs}\n`));
  const listed = read(`${root}/cgroup/user.slice/user-1000.slice/session-1.scope/cgroup.procs`);
  assert.ok(
    listed
      .trim()
      .split('\n')
      .every((pid) => pids.includes(Number(pid))),
  );
});

test('SimulatedTree writes /proc in the forms of the kernel', (t) => {
  const root = writeTree(t, { processes: 3 }, [0, 3_000_000]);
  const proc = `${root}/proc`;
  assert.match(read(`${proc}/stat`), /^procs_running \d+$/m);
  assert.match(read(`${proc}/stat`), /^softirq( \d+){11}\n$/m);
  assert.match(read(`${proc}/loadavg`), /^((0|[1-9]\d*)\.\d\d ){3}(0|[1-9]\d*)\/[1-9]\d* [1-9]\d*\n$/);
  assert.match(read(`${proc}/uptime`), /^\d+\.\d\d \d+\.\d\d\n$/);
  assert.match(read(`${proc}/cpuinfo`), /^cpu MHz\t\t: [1-9]\d{3}\.\d{3}$/m);
  assert.match(read(`${proc}/modules`), /^[a-z_]+ \d+ \d+ - Live 0x0+$/m);
  assert.equal(read(`${proc}/mounts`), read(`${proc}/self/mounts`));
  const total = Number(/^MemTotal: +(\d+) kB$/m.exec(read(`${proc}/meminfo`))?.[1]);
  const parts = [...read(`${proc}/meminfo`).matchAll(/^(?!Vmalloc|Committed)\S+ +(\d+) kB$/gm)];
  assert.ok(parts.length > 30);
  for (const [line, kib] of parts) assert.ok(Number(kib) <= total, line);
});

const numbersIn = (line: string): number[] => line.match(/(?<=\s)\d+/g)?.map(Number) ?? [];
const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

test('SimulatedTree writes the same sums wherever the kernel has them twice', (t) => {
  const root = writeTree(t, { processes: 9, sockets: 3 }, [0, 3_000_000]);
  const [proc, sys] = [`${root}/proc`, `${root}/sys`];
  const findLine = (path: string, start: RegExp): string =>
    read(path)
      .split('\n')
      .find((line) => start.test(line)) ?? assert.fail(`${path} has no ${start}`);
  const valueOf = (path: string, name: string) =>
    numbersIn(findLine(path, new RegExp(`(^| )${name}`))).at(-1);
  const interrupts = sumOf(numbersIn(findLine(`${proc}/interrupts`, /LOC:/)));
  assert.ok(interrupts > 100);
  assert.equal(valueOf(`${proc}/stat`, 'intr'), 0, 'no device interrupts');
  assert.equal(numbersIn(findLine(`${proc}/stat`, /^intr/))[0], interrupts);
  const [softirqs, ...kinds] = numbersIn(findLine(`${proc}/stat`, /^softirq/));
  assert.equal(softirqs, sumOf(kinds));
  const names = ['HI:', 'TIMER:', 'NET_TX:', 'NET_RX:', 'BLOCK:', 'IRQ_POLL:', 'TASKLET:', 'SCHED:'];
  const rows = names.map((name) => sumOf(numbersIn(findLine(`${proc}/softirqs`, new RegExp(` ${name}`)))));
  assert.deepEqual(rows, kinds.slice(0, names.length));
  const busyNs = [...read(`${proc}/schedstat`).matchAll(/^cpu\d+ (?:0 ){6}(\d+) /gm)].map(([, ns]) =>
    Number(ns),
  );
  assert.equal(sumOf(busyNs), readTruth(root).at(-1)?.busy_ns);

  const nodes = readdirSync(`${sys}/devices/system/node`).filter((name) => name.startsWith('node'));
  assert.equal(nodes.length, 3);
  for (const name of ['MemTotal', 'MemFree']) {
    const parts = nodes.map((node) => valueOf(`${sys}/devices/system/node/${node}/meminfo`, name) ?? NaN);
    assert.equal(sumOf(parts), valueOf(`${proc}/meminfo`, name), name);
  }
  const freePages = (valueOf(`${proc}/meminfo`, 'MemFree') ?? NaN) / 4;
  const zones = [...read(`${proc}/zoneinfo`).matchAll(/nr_free_pages (\d+)/g)].map(([, pages]) =>
    Number(pages),
  );
  assert.equal(sumOf(zones), freePages);
  const blocks = read(`${proc}/buddyinfo`)
    .trim()
    .split('\n')
    .map((line) =>
      sumOf(
        numbersIn(line)
          .slice(1)
          .map((count, order) => count * 2 ** order),
      ),
    );
  assert.deepEqual(blocks, zones);

  assert.ok(read(`${proc}/diskstats`).endsWith(` sda ${read(`${sys}/class/block/sda/stat`)}`));
  assert.equal(read(`${sys}/block/sda/stat`), read(`${sys}/class/block/sda/stat`));
  const [, received] = /eth0: (\d+)/.exec(read(`${proc}/net/dev`)) ?? [];
  assert.equal(read(`${sys}/class/net/eth0/statistics/rx_bytes`), `${received}\n`);
  for (const [, name, bytes] of read(`${proc}/modules`).matchAll(/^(\S+) (\d+)/gm)) {
    assert.equal(read(`${sys}/module/${name}/coresize`), `${bytes}\n`);
  }
});

test('SimulatedTree shows the memory of a process alike in each of its files', (t) => {
  const proc = `${writeTree(t, { processes: 12 }, [0])}/proc`;
  const pids = readdirSync(proc).filter((name) => Number(name) > 0);
  const kernelThreads = pids.filter((pid) => !existsSync(`${proc}/${pid}/smaps_rollup`));
  assert.ok(kernelThreads.length > 0 && kernelThreads.length < pids.length);
  for (const pid of kernelThreads) assert.equal(read(`${proc}/${pid}/smaps`), '');
  for (const pid of pids.filter((one) => !kernelThreads.includes(one))) {
    const kib = (file: string, name: string) =>
      Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(read(`${proc}/${pid}/${file}`))?.[1]);
    const [, virtual, resident] = /^(\d+) (\d+)/.exec(read(`${proc}/${pid}/statm`)) ?? [];
    for (const name of ['Rss', 'Pss', 'Private_Dirty', 'Anonymous']) {
      assert.equal(kib('smaps', name), 4 * Number(resident));
      assert.equal(kib('smaps_rollup', name), 4 * Number(resident));
    }
    assert.equal(kib('smaps', 'Size'), 4 * Number(virtual));
    assert.ok(read(`${proc}/${pid}/smaps`).startsWith(read(`${proc}/${pid}/maps`)));
    const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw-p/.exec(read(`${proc}/${pid}/maps`)) ?? [];
    assert.equal(Number.parseInt(to, 16) - Number.parseInt(from, 16), 4096 * Number(virtual));
  }
});

test('SimulatedTree shows a reader its own process, and parents of all others', (t) => {
  const proc = `${writeTree(t, { processes: 8 }, [0])}/proc`;
  assert.equal(read(`${proc}/self/stat`).split(' ')[0], readlinkSync(`${proc}/self`));
  assert.equal(read(`${proc}/thread-self/stat`), read(`${proc}/self/stat`));
  const pids = readdirSync(proc).filter((name) => Number(name) > 0);
  for (const pid of pids) {
    const [, state = '', parent = ''] = /^\d+ \(.+\) (\S) (\d+) /.exec(read(`${proc}/${pid}/stat`)) ?? [];
    assert.match(state, /^[RS]$/);
    assert.ok(Number(pid) <= 2 ? parent === '0' : pids.includes(parent), `${pid} has the parent ${parent}`);
    assert.equal(/^PPid:\t(\d+)$/m.exec(read(`${proc}/${pid}/status`))?.[1], parent);
    assert.equal(read(`${proc}/${pid}/stat`).trimEnd().split(') ')[1]?.split(' ').length, 50);
    assert.equal(read(`${proc}/${pid}/task/${pid}/stat`), read(`${proc}/${pid}/stat`));
  }
});
