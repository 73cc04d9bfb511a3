import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, container, first, nameOf, openMachine, startOf, write } from './fake-cgroups.fixture.js';

test('CgroupScraper reads a version 1 container, whose files have other names and units', async (t) => {
  const { folder, scan } = openMachine(t, first, { details_interval: '1s' });
  const at = `/docker/${container}`;
  const before = below((await scan()).values, at);
  assert.equal(before['linux.cgroup.cpu.time user'], 0);
  assert.deepEqual(
    [
      before['container.memory.usage'],
      before['container.memory.working_set'],
      before['container.memory.rss'],
    ],
    [2000, 1800, 600],
  );
  assert.deepEqual([before['linux.cgroup.memory.file'], before['linux.cgroup.memory.swap']], [1200, 140]);
  assert.equal('linux.cgroup.memory.limit' in before || 'linux.cgroup.pids.limit' in before, false);
  write(folder, {
    [`cpu,cpuacct/docker/${container}/cpuacct.usage`]: '8000000000\n',
    [`cpu,cpuacct/docker/${container}/cpuacct.stat`]: 'user 600\nsystem 200\n',
    [`cpu,cpuacct/docker/${container}/cpu.stat`]:
      'nr_periods 30\nnr_throttled 3\nthrottled_time 4000000000\n',
    [`blkio/docker/${container}/blkio.throttle.io_service_bytes_recursive`]:
      '254:0 Read 9192\n254:0 Write 18384\n254:0 Total 1\nTotal 24576\n',
    [`memory/docker/${container}/memory.oom_control`]: 'oom_kill_disable 0\nunder_oom 0\noom_kill 4\n',
  });
  const after = below((await scan()).values, at);
  assert.deepEqual([after['linux.cgroup.cpu.time user'], after['container.cpu.time system']], [3, 1]);
  assert.equal(after['linux.cgroup.cpu.throttled_time'], 2.5);
  assert.deepEqual(
    [after['container.disk.io read 254:0'], after['container.disk.io write 254:0']],
    [1000, 2000],
  );
  assert.equal(after['linux.cgroup.memory.events oom_kill'], 1);
});

test('CgroupScraper starts new series when a version 1 counter is reset', async (t) => {
  const { folder, scan } = openMachine(t, first);
  const name = `/docker/${container} linux.cgroup.cpu.time user`;
  const file = `cpu,cpuacct/docker/${container}/cpuacct.usage`;
  const before = await scan();
  write(folder, { [file]: '1000000000\n' });
  const reset = await scan();
  assert.ok(reset.ended.some((series) => nameOf(series) === name));
  assert.equal(reset.values[name], 0);
  assert.ok((startOf(reset, name) ?? 0n) > (startOf(before, name) ?? 0n));
  write(folder, { [file]: '2000000000\n' });
  assert.equal((await scan()).values[name], 0.75);
});

/** A hybrid system, with a service in both versions, which has a version 1 container. */
const hybrid = {
  ...first,
  'unified/cgroup.controllers': '',
  'unified/cgroup.procs': '',
  'unified/system.slice/cgroup.type': 'domain\n',
  'unified/system.slice/cpu.stat': 'usage_usec 1000000\nuser_usec 1000000\nsystem_usec 0\n',
  'cpu,cpuacct/system.slice/cpuacct.usage': '5000000000\n',
  'memory/system.slice/memory.usage_in_bytes': '4096\n',
};
const withoutContainer = Object.fromEntries(
  Object.entries(hybrid).filter(([file]) => !file.includes('docker')),
);
const later = {
  'unified/system.slice/cpu.stat': 'usage_usec 3000000\nuser_usec 3000000\nsystem_usec 0\n',
  'cpu,cpuacct/system.slice/cpuacct.usage': '9000000000\n',
};

test('CgroupScraper reads CPU time from version 2 on a hybrid system, and from version 1 for cgroups that only it has', async (t) => {
  const only = { 'cpu,cpuacct/a/cpuacct.usage': '5000000000\n' };
  const { folder, scan } = openMachine(t, { ...withoutContainer, ...only });
  await scan();
  write(folder, { ...later, 'cpu,cpuacct/a/cpuacct.usage': '6000000000\n' });
  const { values, series } = await scan();
  assert.equal(values['/system.slice linux.cgroup.cpu.time user'], 2);
  assert.equal(values['/a linux.cgroup.cpu.time user'], 1);
  assert.equal(new Set(series.map(nameOf)).size, series.length);
});

test('CgroupScraper reads CPU time from version 1 for cgroups in both, if a runtime uses only version 1', async (t) => {
  const name = '/system.slice linux.cgroup.cpu.time user';
  const { folder, scan } = openMachine(t, withoutContainer);
  const before = await scan();
  const ofContainer = Object.entries(hybrid).filter(([file]) => file.includes('docker'));
  write(folder, Object.fromEntries(ofContainer));
  const started = await scan();
  assert.deepEqual(
    started.ended.filter((one) => nameOf(one) === name),
    before.series.filter((one) => nameOf(one) === name),
  );
  assert.equal(started.values[name], 0);
  write(folder, later);
  const after = await scan();
  assert.equal(after.values[name], 4);
  assert.equal(new Set(after.series.map(nameOf)).size, after.series.length);
});

test('CgroupScraper counts the CPU time of a version 1 container once, and not also in its version 2 service', async (t) => {
  const { folder, scan } = openMachine(t, hybrid);
  await scan();
  write(folder, { ...later, [`cpu,cpuacct/docker/${container}/cpuacct.usage`]: '5000000000\n' });
  const { values } = await scan();
  assert.equal(values['/system.slice linux.cgroup.cpu.time user'], 4);
  assert.equal(values[`/docker/${container} linux.cgroup.cpu.time user`], 0.75);
});
