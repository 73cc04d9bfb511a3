import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeContext, writeContext } from '../../src/identity/process-context.fixture.js';
import { pageSize } from '../../src/linux/libc.js';
import type { Series } from '../../src/model/series.js';
import { bootWallNs, FakeMachine, startOf } from './fake-machine.fixture.js';

test('ProcessScraper starts the series of a process born between scans at its birth, with all its CPU time', (t) => {
  const machine = new FakeMachine(t);
  machine.scan();
  const startTicks = Number(machine.now / 10_000_000n) + 30;
  machine.procfs.write(7, { startTicks, userTicks: 20, minorFaults: 5 });
  machine.cpuNs.set(7, 200_000_001);
  const scanned = machine.scan();
  assert.equal(startOf(scanned, 7), bootWallNs + BigInt(startTicks) * 10_000_000n);
  assert.equal(scanned.valuesOf(7)['cpu.time user'], 0.200000001);
});

test('ProcessScraper starts no series before the scan that did not see the process', (t) => {
  const machine = new FakeMachine(t);
  machine.now += 5_000_000n;
  machine.scan();
  const before = machine.now;
  machine.procfs.write(7, { startTicks: Number(before / 10_000_000n), userTicks: 1 });
  machine.cpuNs.set(7, 1_000_000);
  const scanned = machine.scan();
  assert.equal(startOf(scanned, 7), bootWallNs + before);
  assert.equal(scanned.valuesOf(7)['cpu.time user'], 0.001);
});

test('ProcessScraper does not charge the lifetime of a process that it merely missed', (t) => {
  const machine = new FakeMachine(t);
  machine.scan();
  const startTicks = Number(machine.now / 10_000_000n) - 2;
  machine.procfs.write(7, { startTicks, userTicks: 1000, systemTicks: 0 });
  machine.cpuNs.set(7, 10_000_000_000);
  const scanned = machine.scan();
  assert.equal(startOf(scanned, 7), bootWallNs + machine.now);
  assert.equal(scanned.valuesOf(7)['cpu.time user'], 0);
});

test('ProcessScraper ends the series of an ended process before the busy time', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  machine.procfs.write(8, {});
  const series = [...machine.scan().seriesOf(7).values()];
  machine.procfs.remove(7);
  const scanned = machine.scan();
  assert.deepEqual(scanned.ended, series);
  assert.equal(scanned.seriesOf(7).size, 0);
  assert.deepEqual(scanned.tables.at(-2)?.ended, series);
  assert.deepEqual(machine.scan().ended, []);
});

test('ProcessScraper ends the series of a process that ends while it is read', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  machine.procfs.write(8, {});
  const series = [...machine.scan().seriesOf(7).values()];
  machine.cpuNs.set(7, -1);
  const scanned = machine.scan();
  assert.deepEqual(scanned.ended, series);
  assert.equal(scanned.seriesOf(7).size, 0);
  assert.equal(scanned.seriesOf(8).size, 5);
});

test('ProcessScraper lists processes when some were started, and otherwise every 30 s', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.writeStat(0, 100);
  machine.procfs.write(7, {});
  machine.scan();
  machine.procfs.write(8, {});
  const unlisted = machine.scan();
  assert.equal(unlisted.seriesOf(8).size, 0);
  assert.deepEqual(unlisted.ended, []);
  machine.procfs.writeStat(0, 101);
  assert.equal(machine.scan().seriesOf(8).size, 5);
  machine.procfs.write(9, {});
  const seen = Array.from({ length: 30 }, () => machine.scan().seriesOf(9).size);
  assert.deepEqual([seen[28], seen[29]], [0, 5]);
});

test('ProcessScraper adds processes that the source of CPU time found, and lists processes only every 30 s', (t) => {
  const machine = new FakeMachine(t);
  machine.born = [];
  machine.procfs.write(7, {});
  machine.scan();
  machine.procfs.writeStat(0, 101);
  machine.procfs.write(8, {});
  assert.equal(machine.scan().seriesOf(8).size, 0);
  machine.born.push(7, 8);
  const scanned = machine.scan();
  assert.deepEqual([scanned.seriesOf(7).size, scanned.seriesOf(8).size], [5, 5]);
  assert.deepEqual(scanned.ended, []);
  machine.procfs.write(9, {});
  const seen = Array.from({ length: 28 }, () => machine.scan().seriesOf(9).size);
  assert.deepEqual([seen[26], seen[27]], [0, 5]);
});

test('ProcessScraper ends the series of an ended process if none was started since', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.writeStat(0, 100);
  machine.procfs.write(7, {});
  machine.procfs.write(8, {});
  machine.scan();
  machine.procfs.remove(7);
  machine.cpuNs.set(7, -1);
  const scanned = machine.scan();
  assert.equal(scanned.ended.length, 5);
  assert.equal(scanned.seriesOf(7).size, 0);
  assert.equal(scanned.seriesOf(8).size, 5);
});

test('ProcessScraper ends the series of the old process first when its PID is reused', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, { userTicks: 500 });
  machine.cpuNs.set(7, 5_000_000_000);
  const series = [...machine.scan().seriesOf(7).values()];
  const startTicks = Number(machine.now / 10_000_000n) + 50;
  machine.procfs.write(7, { startTicks, userTicks: 30 });
  machine.cpuNs.set(7, 300_000_000);
  const scanned = machine.scan();
  assert.deepEqual(scanned.ended, series);
  assert.equal(scanned.valuesOf(7)['cpu.time user'], 0.3);
  assert.equal(startOf(scanned, 7), bootWallNs + BigInt(startTicks) * 10_000_000n);
});

test('ProcessScraper neither loses nor repeats CPU time when a process becomes another program', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, { comm: 'sh', exe: '/usr/bin/dash', userTicks: 10, minorFaults: 100 });
  machine.cpuNs.set(7, 100_000_000);
  const settings = { metrics: { faults: true } };
  machine.open(settings);
  const before = machine.scan();
  machine.cpuNs.set(7, 150_000_000);
  machine.procfs.write(7, { comm: 'sh', exe: '/usr/bin/dash', userTicks: 15, minorFaults: 130 });
  machine.scan();
  const rowNs = bootWallNs + machine.now;
  machine.cpuNs.set(7, 400_000_000);
  machine.procfs.write(7, { comm: 'gcc', exe: '/usr/bin/gcc', userTicks: 40, minorFaults: 170 });
  const after = machine.scan();
  assert.deepEqual(after.ended, [...before.seriesOf(7).values()]);
  const { 'cpu.time user': user, 'paging.faults minor': faults } = after.valuesOf(7);
  assert.deepEqual([user, faults], [0.25, 40]);
  const series = after.seriesOf(7).get('cpu.time user');
  assert.equal(series?.start, rowNs);
  assert.equal(series?.resource.attributes['process.executable.name'], 'gcc');
});

test('ProcessScraper keeps the resource of a process that changes its title', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, { comm: 'node', exe: '/usr/bin/node' });
  const series = startSeries(machine);
  const titles = ['MainThread', 'npm ci', 'worker 1'];
  const seen = titles.map((comm, i) => {
    machine.cpuNs.set(7, (i + 1) * 100_000_000);
    machine.procfs.write(7, { comm, exe: '/usr/bin/node', userTicks: 10 * (i + 1) });
    const scanned = machine.scan();
    assert.equal(scanned.seriesOf(7).get('cpu.time user'), series);
    return scanned.valuesOf(7)['cpu.time user'];
  });
  assert.deepEqual(seen, [0.1, 0.2, 0.3]);
  assert.equal(series?.resource.attributes['process.executable.name'], 'node');
});

test('ProcessScraper starts new series for a process that was moved to another cgroup, once it has run', (t) => {
  const machine = new FakeMachine(t);
  machine.open({ collection_interval: '30s' });
  machine.procfs.write(7, { cgroup: '/a' });
  machine.scan();
  machine.procfs.write(7, { cgroup: '/b', userTicks: 1 });
  machine.cpuNs.set(7, 10_000_000);
  const scanned = machine.scan();
  const series = scanned.seriesOf(7).get('cpu.time user');
  assert.equal(series?.resource.attributes['process.linux.cgroup'], '0::/b');
  assert.equal(scanned.valuesOf(7)['cpu.time user'], 0.01);
  assert.equal(scanned.ended.length, 5);
});

test('ProcessScraper identifies a new process again soon, and less often as it grows older', (t) => {
  const machine = new FakeMachine(t);
  machine.scan();
  const startTicks = Number(machine.now / 10_000_000n) + 50;
  /** Scans after the process has run in a cgroup. @returns the cgroup that is published */
  const scanIn = (cgroup: string): unknown => {
    machine.cpuNs.set(7, (machine.cpuNs.get(7) ?? 0) + 1_000_000);
    machine.procfs.write(7, { startTicks, cgroup });
    return machine.scan().seriesOf(7).get('cpu.time user')?.resource.attributes['process.linux.cgroup'];
  };
  machine.procfs.writeStat(0, 1);
  assert.equal(scanIn('/a'), '0::/a');
  assert.equal(scanIn('/b'), '0::/b');
  assert.equal(scanIn('/c'), '0::/b');
  assert.equal(scanIn('/c'), '0::/c');
  const later = Array.from({ length: 8 }, (_, i) => scanIn(`/d${i}`));
  assert.deepEqual(
    later,
    ['/c', '/c', '/c', '/d3', '/d3', '/d3', '/d3', '/d3'].map((path) => `0::${path}`),
  );
});

test('ProcessScraper neither loses nor repeats CPU time when a process publishes its service late', (t) => {
  const machine = new FakeMachine(t);
  machine.open({ collection_interval: '30s' });
  machine.procfs.write(7, {});
  machine.cpuNs.set(7, 100_000_000);
  const before = machine.scan();
  machine.cpuNs.set(7, 150_000_000);
  machine.procfs.write(7, { userTicks: 5 });
  assert.equal(machine.scan().valuesOf(7)['cpu.time user'], 0.05);
  const rowNs = bootWallNs + machine.now;
  writeContext(join(machine.procfs.path, '7'), encodeContext({ 'service.name': 'cart' }));
  machine.cpuNs.set(7, 350_000_000);
  machine.procfs.write(7, { userTicks: 25 });
  const after = machine.scan();
  assert.deepEqual(after.ended, [...before.seriesOf(7).values()]);
  const series = after.seriesOf(7).get('cpu.time user');
  assert.equal(series?.resource.attributes['service.name'], 'cart');
  assert.equal(series?.start, rowNs);
  assert.equal(after.valuesOf(7)['cpu.time user'], 0.2);
});

test('ProcessScraper counts services that it cannot parse, and reads none if this is off', async (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, {});
  machine.procfs.writeFile(7, 'environ', 'OTEL_SERVICE_NAME=a\0OTEL_RESOURCE_ATTRIBUTES=b\0');
  machine.open();
  assert.equal(machine.scan().seriesOf(7).get('cpu.time user')?.resource.attributes['service.name'], 'a');
  assert.equal((await machine.telemetry.read())['joulemetry.process.malformed_services{test}'], 1);
  machine.open({ service: false });
  assert.equal(
    machine.scan().seriesOf(7).get('cpu.time user')?.resource.attributes['service.name'],
    undefined,
  );
});

test('ProcessScraper keeps series and executable of a process that is about to end', (t) => {
  const machine = new FakeMachine(t);
  machine.open({ collection_interval: '30s' });
  machine.procfs.write(7, {});
  const series = startSeries(machine);
  rmSync(join(machine.procfs.path, '7', 'exe'));
  machine.cpuNs.set(7, 10_000_000);
  assert.equal(machine.scan().seriesOf(7).get('cpu.time user'), series);
});

test('ProcessScraper ends all series and starts new ones when the clock was stepped or the machine slept', (t) => {
  const machine = new FakeMachine(t);
  machine.procfs.write(7, { userTicks: 100 });
  const before = machine.scan(1);
  machine.cpuNs.set(7, 900_000_000);
  machine.procfs.write(7, { userTicks: 100, residentPages: 5 });
  machine.procfs.writeStat(10);
  const after = machine.scan(2);
  assert.deepEqual(
    after.tables[0]?.ended,
    before.tables.flatMap(({ series }) => series),
  );
  assert.deepEqual(after.ended, after.tables[0]?.ended);
  const { 'cpu.time user': user, 'memory.usage': memory } = after.valuesOf(7);
  assert.deepEqual([user, memory], [0, 5 * pageSize]);
  assert.equal(startOf(after, 7), bootWallNs + machine.now);
  assert.equal(after.tables.at(-1)?.values[0], 0);
  machine.cpuNs.set(7, 1_000_000_000);
  machine.procfs.write(7, { userTicks: 110 });
  assert.equal(machine.scan(2).valuesOf(7)['cpu.time user'], 0.1);
});

function startSeries(machine: FakeMachine): Series | undefined {
  return machine.scan().seriesOf(7).get('cpu.time user');
}
