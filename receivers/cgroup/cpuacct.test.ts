import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPackageSysfs } from '../../src/linux/two-packages.fixture.js';
import { below, container, first, openMachine, write, type Files } from './fake-cgroups.fixture.js';

const at = `/docker/${container}`;
const name = 'linux.cgroup.cpu.package.time';

function files(perCpu: readonly number[]): Files {
  const folder = `cpu,cpuacct/docker/${container}`;
  const sum = perCpu.reduce((all, ns) => all + ns, 0);
  return {
    [`${folder}/cpuacct.usage`]: `${sum}\n`,
    [`${folder}/cpuacct.stat`]: `user ${sum / 1e7}\nsystem 0\n`,
    [`${folder}/cpuacct.usage_percpu`]: `${perCpu.join(' ')} \n`,
  };
}

test('CgroupScraper has the CPU time of a version 1 cgroup on each package', async (t) => {
  const sysfs = createPackageSysfs([0, 3, 0, 3, undefined]);
  const { folder, scan } = openMachine(t, { ...first, ...files([4e9, 1e9, 0, 2e9, 5e9]) }, { sysfs });
  const before = below((await scan()).values, at);
  assert.deepEqual([before[`${name} 0`], before[`${name} 3`]], [0, 0]);
  write(folder, files([5e9, 1e9, 5e8, 4e9, 5e9]));
  const after = below((await scan()).values, at);
  assert.deepEqual([after[`${name} 0`], after[`${name} 3`]], [1.5, 2]);
  assert.equal(after['linux.cgroup.cpu.time user'], 3.5);
  assert.equal(after['container.cpu.time user'], 3.5);
});

test('CgroupScraper restarts the CPU time on each package at 0 when the counter of the cgroup is reset', async (t) => {
  const sysfs = createPackageSysfs([0, 3]);
  const { folder, scan } = openMachine(t, { ...first, ...files([4e9, 1e9]) }, { sysfs });
  await scan();
  write(folder, files([1e9, 0]));
  await scan();
  write(folder, files([2e9, 5e8]));
  const after = below((await scan()).values, at);
  assert.deepEqual([after[`${name} 0`], after[`${name} 3`]], [1, 0.5]);
});

test('CgroupScraper omits packages if the file with the time of each CPU is missing, or there is only one package', async (t) => {
  const { scan } = openMachine(t, { ...first, ...files([4e9, 1e9]) }, { sysfs: createPackageSysfs([0, 0]) });
  assert.ok(!Object.keys((await scan()).values).some((one) => one.includes(name)));
  const other = openMachine(t, first, { sysfs: createPackageSysfs([0, 1]) });
  await other.scan();
  write(other.folder, { [`cpu,cpuacct/docker/${container}/cpuacct.usage`]: '8000000000\n' });
  assert.equal(below((await other.scan()).values, at)[`${name} 0`], 0);
});
