import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { findCpuPlace, isAmd, isVirtualMachine, parseCpuList } from './topology.js';

function withSysfs(files: Readonly<Record<string, string>>, check: (sysfs: string) => void): void {
  const sysfs = createFolder();
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(sysfs, 'devices/system/cpu', name);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, text);
    }
    check(sysfs);
  } finally {
    rmSync(sysfs, { recursive: true });
  }
}

test('parseCpuList takes single CPUs, ranges and an empty list', () => {
  assert.deepEqual(parseCpuList('0-3,8,10-11\n'), [0, 1, 2, 3, 8, 10, 11]);
  assert.deepEqual(parseCpuList('0\n'), [0]);
  assert.deepEqual(parseCpuList('\n'), []);
});

test('findCpuPlace gives package and die, and nothing for a CPU that is not here', () => {
  const files = { 'cpu4/topology/physical_package_id': '1\n', 'cpu4/topology/die_id': '2\n' };
  withSysfs(files, (sysfs) => {
    assert.deepEqual(findCpuPlace(sysfs, 4), { package: 1, die: 2 });
    assert.equal(findCpuPlace(sysfs, 5), undefined);
  });
});

test('findCpuPlace takes die 0, when the kernel is too old to know dies', () => {
  withSysfs({ 'cpu0/topology/physical_package_id': '0\n' }, (sysfs) => {
    assert.deepEqual(findCpuPlace(sysfs, 0), { package: 0, die: 0 });
  });
});

const modelOf = (vendor: string, features: string) => ({
  modalias: `cpu:type:x86,ven${vendor}fam0019mod0001:feature:,${features}\n`,
});

test('isAmd knows the vendors that have the energy counters of AMD', () => {
  withSysfs(modelOf('0002', '0000'), (sysfs) => assert.equal(isAmd(sysfs), true));
  withSysfs(modelOf('0009', '0000'), (sysfs) => assert.equal(isAmd(sysfs), true));
  withSysfs(modelOf('0000', '0000'), (sysfs) => assert.equal(isAmd(sysfs), false));
  withSysfs({}, (sysfs) => assert.equal(isAmd(sysfs), false));
});

test('isVirtualMachine knows the feature that a hypervisor sets', () => {
  withSysfs(modelOf('0000', '009E,009F,00C0'), (sysfs) => assert.equal(isVirtualMachine(sysfs), true));
  withSysfs(modelOf('0000', '009E,00C0'), (sysfs) => assert.equal(isVirtualMachine(sysfs), false));
});
