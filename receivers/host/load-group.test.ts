import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { valuesOf } from '../../src/scraping/source.fixture.js';
import { readDamaged, scrapeTwice } from './host-machine.fixture.js';

test('LoadGroup reports load averages and uptime', (t) => {
  assert.deepEqual(valuesOf(scrapeTwice(t, ['load']).first), {
    'system.cpu.load_average.1m': 0.5,
    'system.cpu.load_average.5m': 1.25,
    'system.cpu.load_average.15m': 2,
    'system.uptime': 123_456.78,
  });
});

test('LoadGroup reports the load averages when the uptime cannot be read', (t) => {
  const { scrape, tables } = readDamaged(t, 'load', (folder) =>
    writeFileSync(join(folder, 'proc/uptime'), ''),
  );
  assert.throws(scrape, /Cannot read .*\/proc\/uptime: expected text, found none/u);
  assert.deepEqual(Object.keys(valuesOf(tables)), [
    'system.cpu.load_average.1m',
    'system.cpu.load_average.5m',
    'system.cpu.load_average.15m',
  ]);
});

test('LoadGroup reports the uptime when the kernel has no load averages', (t) => {
  const { scrape, tables } = readDamaged(t, 'load', (folder) => rmSync(join(folder, 'proc/loadavg')));
  scrape();
  assert.deepEqual(Object.keys(valuesOf(tables)), ['system.uptime']);
});
