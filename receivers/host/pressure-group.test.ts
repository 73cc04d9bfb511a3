import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { valuesOf } from '../../src/scraping/source.fixture.js';
import { copyMachine, openScraper, scrapeTwice } from './host-machine.fixture.js';

test('PressureGroup counts seconds by resource, including interrupts if the kernel has them', (t) => {
  assert.deepEqual(valuesOf(scrapeTwice(t, ['pressure']).later), {
    'system.linux.pressure.time cpu some': 0,
    'system.linux.pressure.time memory some': 0,
    'system.linux.pressure.time memory full': 0,
    'system.linux.pressure.time io some': 0.5,
    'system.linux.pressure.time io full': 0.25,
    'system.linux.pressure.time irq full': 0,
  });
});

test('PressureGroup counts the other resources when one cannot be read', (t) => {
  const folder = copyMachine('server');
  const scraper = openScraper(t, folder, ['pressure']);
  const { length } = Object.keys(valuesOf(scraper.scrape(0)));
  rmSync(join(folder, 'proc/pressure/memory'));
  const left = valuesOf(openScraper(t, folder, ['pressure']).scrape(0));
  assert.deepEqual([length, Object.keys(left).length], [6, 4]);
  assert.equal(left['system.linux.pressure.time memory some'], undefined);
});

test('PressureGroup counts all resources without an error when cpu has no "full" and there is no irq', (t) => {
  const folder = copyMachine('server');
  rmSync(join(folder, 'proc/pressure/irq'));
  const scraper = openScraper(t, folder, ['pressure']);
  const write = (total: number) =>
    writeFileSync(
      join(folder, 'proc/pressure/cpu'),
      `some avg10=2.65 avg60=2.78 avg300=2.92 total=${total}\n`,
    );
  write(111_749_368_752);
  const first = valuesOf(scraper.scrape(0));
  write(111_751_368_752);
  assert.deepEqual(Object.keys(first), [
    'system.linux.pressure.time cpu some',
    'system.linux.pressure.time memory some',
    'system.linux.pressure.time memory full',
    'system.linux.pressure.time io some',
    'system.linux.pressure.time io full',
  ]);
  assert.equal(valuesOf(scraper.scrape(0))['system.linux.pressure.time cpu some'], 2);
});
