import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { findCpuPlace, isAmd, isOtherThanX86, isVirtualMachine, parseCpuList } from './topology.js';

function createSysfs(files: Readonly<Record<string, string>>): string {
  const sysfs = createFolder();
  for (const [name, text] of Object.entries(files)) {
    const path = join(sysfs, 'devices/system/cpu', name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
  }
  return sysfs;
}

test('parseCpuList takes single CPUs, ranges and an empty list', () => {
  assert.deepEqual(parseCpuList('0-3,8,10-11\n'), [0, 1, 2, 3, 8, 10, 11]);
  assert.deepEqual(parseCpuList('0\n'), [0]);
  assert.deepEqual(parseCpuList('\n'), []);
});

test('findCpuPlace gives package and die, and nothing for a CPU that is not here', () => {
  const files = { 'cpu4/topology/physical_package_id': '1\n', 'cpu4/topology/die_id': '2\n' };
  const sysfs = createSysfs(files);
  assert.deepEqual(findCpuPlace(sysfs, 4), { package: 1, die: 2 });
  assert.equal(findCpuPlace(sysfs, 5), undefined);
});

test('findCpuPlace takes die 0, when the kernel is too old to know dies', () => {
  const sysfs = createSysfs({ 'cpu0/topology/physical_package_id': '0\n' });
  assert.deepEqual(findCpuPlace(sysfs, 0), { package: 0, die: 0 });
});

const modelOf = (vendor: string, features: string) => ({
  modalias: `cpu:type:x86,ven${vendor}fam0019mod0001:feature:,${features}\n`,
});

test('isAmd knows the vendors that have the energy counters of AMD', () => {
  assert.equal(isAmd(createSysfs(modelOf('0002', '0000'))), true);
  assert.equal(isAmd(createSysfs(modelOf('0009', '0000'))), true);
  assert.equal(isAmd(createSysfs(modelOf('0000', '0000'))), false);
  assert.equal(isAmd(createSysfs({})), false);
});

test('isOtherThanX86 recognizes the architecture, if the kernel reports it', () => {
  // As Linux 6.12 reports a Neoverse N1.
  const arm64 = 'cpu:type:aarch64:feature:,0000,0001,0002,0003,0004,0005,0006\n';
  assert.equal(isOtherThanX86(createSysfs({ modalias: arm64 })), true);
  assert.equal(isOtherThanX86(createSysfs(modelOf('0002', '0000'))), false);
  assert.equal(isOtherThanX86(createSysfs({})), false);
});

test('isVirtualMachine knows the feature that a hypervisor sets', () => {
  assert.equal(isVirtualMachine(createSysfs(modelOf('0000', '009E,009F,00C0'))), true);
  assert.equal(isVirtualMachine(createSysfs(modelOf('0000', '009E,00C0'))), false);
});
