import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { testFileFaults } from '../../src/scraping/file-faults.fixture.js';
import { checkFault } from '../../src/scraping/reader-faults.fixture.js';
import { ac, FakeSupplies, lenovo } from './battery-machine.fixture.js';
import { factory } from './factory.js';

/** A battery that supplies the machine, and an adapter. */
function openMachine() {
  const supplies = new FakeSupplies({ AC: ac, BAT0: lenovo });
  const settings = { sysfs: supplies.sysfs };
  return { factory, settings, tick() {}, subject: /BAT0|batter/u, path: supplies.path('BAT0'), supplies };
}

testFileFaults('battery supplies', openMachine);

test('battery ends the series of a battery that is taken out, and continues with the adapter', async (t) => {
  const { supplies, path, ...machine } = openMachine();
  await checkFault(t, machine, {
    begin: () => rmSync(dirname(path), { recursive: true }),
    end: () => supplies.write('BAT0', lenovo),
  });
});
