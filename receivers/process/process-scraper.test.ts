import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pageSize } from '../../src/linux/libc.js';
import { timeOf } from '../../src/model/table.js';
import { bootWallNs, FakeMachine, labelOf, startOf } from './fake-machine.fixture.js';

test('ProcessScraper counts an older process from its first scan on', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {
    userTicks: 300,
    systemTicks: 100,
    threads: 3,
    virtualBytes: 9000,
    residentPages: 2,
  });
  machine.cpuNs.set(7, 4_000_000_000);
  const first = machine.scan();
  assert.deepEqual(first.valuesOf(7), {
    'cpu.time user': 0,
    'cpu.time system': 0,
    'memory.usage': 2 * pageSize,
    'memory.virtual': 9000,
    'thread.count': 3,
  });
  assert.equal(startOf(first, 7), bootWallNs + machine.now);
  machine.cpuNs.set(7, 4_600_000_000);
  machine.procfs.write(7, { userTicks: 330, systemTicks: 130 });
  const after = machine.scan().valuesOf(7);
  assert.equal(after['cpu.time user'], 0.3);
  assert.equal(after['cpu.time system'], 0.3);
});

test('ProcessScraper identifies a process', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {
    comm: 'a) S (b',
    parentPid: 3,
    startTicks: 12_345,
    cgroup: '/a.slice',
    exe: '/usr/bin/prog (deleted)',
  });
  writeFileSync(join(machine.procfs.path, 'passwd'), `me:x:${process.getuid?.()}:0:::\n`);
  machine.open({ passwd: join(machine.procfs.path, 'passwd') });
  const [series] = machine.scan().seriesOf(7).values();
  assert.deepEqual(series?.resource.attributes, {
    'process.pid': 7,
    'process.creation.time': '2023-11-14T22:15:23.450Z',
    'process.parent_pid': 3,
    'process.executable.name': 'prog',
    'process.owner': 'me',
    'process.linux.cgroup': '0::/a.slice',
    'process.executable.path': '/usr/bin/prog',
    'process.thread.name': 'a) S (b',
    'systemd.slice': 'a.slice',
  });
});

test('ProcessScraper forwards busy time last, with the time at which the scan began', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  const first = machine.scan().tables.at(-1);
  assert.deepEqual(
    first?.series.map(({ metric }) => metric.name),
    ['system.cpu.busy.time', 'system.cpu.tick'],
  );
  assert.deepEqual([...(first?.values ?? [])], [0, 0.004]);
  machine.procfs.writeStat(60);
  const { tables } = machine.scan();
  const last = tables.at(-1);
  assert.equal(last?.series, first?.series);
  assert.equal(last?.epoch, bootWallNs + machine.now);
  assert.deepEqual([...(last?.values ?? [])], [0.4, 0.004]);
});

test('ProcessScraper timestamps rows with the time at which the CPU time of all processes was read', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  machine.readAfterNs = 3_000_000n;
  machine.scan();
  const [row, busy] = machine.scan().tables;
  assert.equal(row && timeOf(row, 0), bootWallNs + machine.now + 3_000_000n);
  assert.equal(busy && timeOf(busy, 0), bootWallNs + machine.now);
});

test('ProcessScraper forwards the same array of series while no process starts or ends', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  const [first] = machine.scan().tables;
  machine.cpuNs.set(7, 5);
  const [again] = machine.scan().tables;
  assert.equal(again?.series, first?.series);
  machine.procfs.write(8, {});
  assert.notEqual(machine.scan().tables[0]?.series, first?.series);
});

test('ProcessScraper reads a process again after 30 s if it has not run', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, { residentPages: 1 });
  machine.scan();
  machine.procfs.write(7, { residentPages: 2 });
  const seen = Array.from({ length: 30 }, () => machine.scan().valuesOf(7)['memory.usage']);
  assert.equal(seen[0], pageSize);
  assert.equal(seen[29], 2 * pageSize);
});

const secondsOf = (values: Record<string, number>) =>
  (values['cpu.time user'] ?? 0) + (values['cpu.time system'] ?? 0);

test('ProcessScraper reads the files of the busiest at every scan, and of others every 30 s, with eBPF', (t) => {
  const machine = new FakeMachine(t);
  machine.open({ detail_limit: 1 });
  // According to their PIDs, their identity is checked again at the 22nd and the 23rd scan.
  const [busy, quiet] = [39, 38];
  const write = (pid: number, seconds: number, residentPages: number): void => {
    machine.procfs.write(pid, { residentPages });
    machine.revisions.set(pid, 0);
    machine.cpuNs.set(pid, seconds * 1e9);
  };
  write(busy, 0, 1);
  write(quiet, 0, 1);
  machine.scan();
  write(busy, 2, 2);
  write(quiet, 1, 2);
  // No earlier scan has ranked them.
  machine.scan();
  write(busy, 4, 3);
  write(quiet, 2, 3);
  const third = machine.scan();
  assert.equal(third.valuesOf(busy)['memory.usage'], 3 * pageSize);
  assert.equal(third.valuesOf(quiet)['memory.usage'], 2 * pageSize);
  assert.deepEqual(
    [busy, quiet].map((pid) => secondsOf(third.valuesOf(pid))),
    [4, 2],
  );
  let scans = 3;
  for (let seconds = 3; machine.scan().valuesOf(quiet)['memory.usage'] !== 3 * pageSize; seconds++) {
    scans += 1;
    assert.ok(scans <= 33);
    machine.cpuNs.set(busy, 2 * seconds * 1e9);
    machine.cpuNs.set(quiet, seconds * 1e9);
  }
});

test('ProcessScraper detects at the next scan that a quiet process is another program, with eBPF', (t) => {
  const machine = new FakeMachine(t);
  machine.open({ detail_limit: 1 });
  for (const pid of [6, 7]) {
    machine.procfs.write(pid, { exe: '/bin/sh', cgroup: '/a' });
    machine.revisions.set(pid, 0);
  }
  const use = (ns: number): void => {
    machine.cpuNs.set(6, 1000 * ns);
    machine.cpuNs.set(7, ns);
  };
  for (const ns of [0, 1e6, 2e6]) {
    use(ns);
    machine.scan();
  }
  machine.procfs.write(7, { exe: '/bin/true', cgroup: '/b' });
  use(3e6);
  assert.deepEqual(machine.scan().ended, []);
  machine.revisions.set(7, 1);
  use(5e6);
  const scanned = machine.scan();
  const attributes = scanned.seriesOf(7).get('cpu.time user')?.resource.attributes;
  assert.equal(attributes?.['process.executable.name'], 'true');
  assert.equal(attributes['process.linux.cgroup'], '0::/b');
  // CPU time since the last row.
  assert.equal(scanned.valuesOf(7)['cpu.time user'], 0.002);
  assert.equal(scanned.ended.length, 5);
});

test('ProcessScraper gives a kernel thread only system time', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(9, { comm: 'kworker/0:1H-kblockd', flags: 0x20_8040, systemTicks: 1 });
  machine.scan();
  machine.cpuNs.set(9, 2_000_000);
  const scanned = machine.scan();
  assert.deepEqual(scanned.valuesOf(9), { 'cpu.time system': 0.002 });
  const attributes = scanned.seriesOf(9).get('cpu.time system')?.resource.attributes;
  assert.equal(attributes?.['process.linux.kernel_thread'], true);
  assert.equal(attributes?.['process.executable.name'], 'kworker/0:1H');
  assert.equal(attributes?.['process.executable.path'], undefined);
  machine.cpuNs.set(9, 3_000_000);
  machine.procfs.write(9, { comm: 'kworker/0:1H+events', flags: 0x20_8040, systemTicks: 1 });
  assert.deepEqual(machine.scan().ended, []);
});

test('ProcessScraper publishes the time of interrupts if the kernel counts it separately', (t) => {
  const machine = new FakeMachine(t);
  machine.open({}, { hasInterrupts: true });
  const row = machine.scan().tables.at(-1);
  assert.deepEqual(
    row?.series.map(({ metric }) => metric.name),
    ['system.cpu.busy.time', 'system.cpu.tick', 'system.cpu.interrupt.time'],
  );
  assert.deepEqual([...(row?.values ?? [])], [0, 0.004, 0]);
});

test('ProcessScraper uses ticks if there is no CPU clock', (t) => {
  const machine = new FakeMachine(t);
  machine.open({}, { hasClock: false });
  machine.procfs.write(7, { userTicks: 10, systemTicks: 10 });
  machine.scan();
  machine.procfs.write(7, { userTicks: 15, systemTicks: 12 });
  const { 'cpu.time user': user, 'cpu.time system': system } = machine.scan().valuesOf(7);
  assert.equal(Math.round(((user ?? 0) + (system ?? 0)) * 1e9), 70_000_000);
});

test('ProcessScraper reads many processes in parts, and merges the parts if few are left', (t) => {
  const machine = new FakeMachine(t);
  for (let pid = 1; pid <= 450; pid++) machine.procfs.write(pid, {});
  assert.equal(machine.scan().tables.length, 16);
  for (let pid = 1; pid <= 450; pid++) if (pid % 90 !== 0) machine.procfs.remove(pid);
  assert.equal(machine.scan().ended.length, 445 * 5);
  const [together, busy, ...more] = machine.scan().tables;
  assert.equal(together?.series.length, 5 * 5);
  assert.equal(busy?.series.length, 2);
  assert.equal(more.length, 0);
});

test('ProcessScraper keeps new processes separate until there are many, so that few arrays of series change', (t) => {
  const machine = new FakeMachine(t);
  for (let pid = 1; pid <= 20; pid++) machine.procfs.write(pid, {});
  const [old] = machine.scan().tables;
  machine.procfs.write(21, {});
  const [again, newcomers] = machine.scan().tables;
  assert.equal(again?.series, old?.series);
  assert.equal(newcomers?.series.length, 5);
  for (let pid = 22; pid <= 30; pid++) machine.procfs.write(pid, {});
  assert.deepEqual(sizesOf(machine), [20, 10]);
  assert.deepEqual(sizesOf(machine), [30]);
});

test('ProcessScraper omits the arguments unless it is configured to read them', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  machine.procfs.writeFile(7, 'cmdline', 'prog\0--key\0secret\0');
  assert.equal(commandLineOf(machine), undefined);
  const told = new FakeMachine(t);
  told.procfs.write(7, {});
  told.procfs.writeFile(7, 'cmdline', 'prog\0--key\0secret\0');
  told.open({ command_line: true });
  assert.equal(commandLineOf(told), 'prog --key secret');
});

test('ProcessScraper forwards no CPU time and no busy time if these are off', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  machine.procfs.write(2, { flags: 0x20_8040 });
  machine.open({ metrics: { cpu: false, memory: false } });
  const { tables } = machine.scan();
  assert.deepEqual(tables.flatMap(({ series }) => series).map(labelOf), ['thread.count']);
  assert.equal(machine.scan().tables[0]?.series, tables[0]?.series);
});

/** The number of processes in each part. */
function sizesOf(machine: FakeMachine): number[] {
  const parts = machine.scan().tables.filter(({ series }) => series.length > 2);
  return parts.map(({ series }) => series.length / 5);
}

function commandLineOf(machine: FakeMachine): unknown {
  return machine.scan().seriesOf(7).get('cpu.time user')?.resource.attributes['process.command_line'];
}
