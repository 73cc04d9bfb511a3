import assert from 'node:assert/strict';
import { chmodSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { schema } from './config.js';
import { factory } from './factory.js';
import { createFakeSysfs } from './fake-sysfs.fixture.js';
import { start, writePackage } from './powercap-rig.fixture.js';

// Machines modelled on public bug reports.

const isRoot = process.getuid?.() === 0 && 'root may read every file';

test('rapl reads the package when only its file is readable', { skip: isRoot }, async (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  chmodSync(join(sysfs.root, 'class/powercap/intel-rapl:0:0/energy_uj'), 0);
  const { receiver, read, totals, log } = await start(t, sysfs);
  await read({ 'intel-rapl:0': 1_010_000_000 });
  assert.deepEqual(totals(), { 'hw.energy cpu-package-0': [10, 1] });
  assert.match(log.lines.join('\n'), /^warn: powercap: Cannot read dram-0 from .*: EACCES, root or CAP_DAC/m);
  assert.equal(receiver.isPartial, false);
});

test('rapl reads memory without its package, but is not a meter of the machine then', async (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  sysfs.remove('class/powercap/intel-rapl:0/energy_uj');
  const { receiver, read, totals } = await start(t, sysfs);
  await read({ 'intel-rapl:0:0': 301_000_000 });
  assert.deepEqual(totals(), { 'hw.energy dram-0': [1, 1] });
  assert.equal(receiver.isPartial, true);
});

test('rapl names the errno of unreadable zones, and no driver to load', async (t) => {
  const sysfs = createFakeSysfs(t);
  writePackage(sysfs);
  for (const zone of ['intel-rapl:0', 'intel-rapl:0:0']) {
    sysfs.remove(`class/powercap/${zone}/energy_uj`);
    // It can be opened, but not read at offset 0, like these files in some virtual machines.
    symlinkSync('/proc/self/mem', join(sysfs.root, `class/powercap/${zone}/energy_uj`));
  }
  const config = parseSettings(schema, { sysfs: sysfs.root });
  const { available, found, remedies } = await factory.probe(config, createFakeContext());
  assert.equal(available, false);
  assert.match(found, /Cannot read package-0 from .*: EIO, Cannot read dram-0 from .*: EIO$/);
  assert.deepEqual(remedies, []);
});

test('rapl reports dangling links to zones', async (t) => {
  const sysfs = createFakeSysfs(t);
  sysfs.write('class/powercap/README', '');
  for (const zone of ['intel-rapl', 'intel-rapl:0'])
    symlinkSync(`../../devices/virtual/powercap/${zone}`, join(sysfs.root, 'class/powercap', zone));
  const config = parseSettings(schema, { sysfs: sysfs.root });
  const { available, found, remedies } = await factory.probe(config, createFakeContext());
  assert.equal(available, false);
  assert.match(found, /powercap: the zones in .*\/class\/powercap cannot be followed$/);
  assert.deepEqual(
    remedies.map(({ command }) => command),
    ['mount the host\'s /sys read-only at /host/sys and set "sysfs: /host/sys"'],
  );
});
