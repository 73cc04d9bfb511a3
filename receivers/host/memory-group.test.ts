import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Table } from '../../src/model/table.js';
import { valuesOf } from '../../src/scraping/source.fixture.js';
import { copyMachine, dropLine, openScraper, readDamaged, scrapeTwice } from './host-machine.fixture.js';

test('MemoryGroup reports bytes by state and counts faults when read twice', (t) => {
  const { later } = scrapeTwice(t, ['memory']);
  assert.deepEqual(valuesOf(later), {
    'system.memory.limit': 16_384_000_000,
    'system.memory.usage used': 7_168_000_000,
    'system.memory.usage free': 4_096_000_000,
    'system.memory.usage buffers': 512_000_000,
    'system.memory.usage cached': 5_120_000_000,
    'system.memory.linux.available': 9_216_000_000,
    'system.memory.linux.shared': 256_000_000,
    'system.memory.linux.slab.usage reclaimable': 307_200_000,
    'system.memory.linux.slab.usage unreclaimable': 102_400_000,
    'system.paging.usage used': 512_000_000,
    'system.paging.usage free': 1_536_000_000,
    'system.paging.faults major': 50,
    'system.paging.faults minor': 200,
    'system.paging.operations major in': 3,
    'system.paging.operations major out': 0,
  });
});

test('MemoryGroup reports further kinds of memory when configured to', (t) => {
  const folder = copyMachine('server');
  appendFileSync(
    join(folder, 'proc/meminfo'),
    'Active: 3000 kB\nActive(anon): 1000 kB\nMapped: 700 kB\nDirty: 16000001 kB\nPercpu: 5 kB\n',
  );
  const values = valuesOf(openScraper(t, folder, ['memory'], { memory: { kinds: true } }).scrape(0));
  const kinds = Object.entries(values).filter(([name]) => name.startsWith('system.memory.linux.kind.usage'));
  assert.deepEqual(Object.fromEntries(kinds.map(([name, value]) => [name.split(' ')[1], value])), {
    active: 3_072_000,
    mapped: 716_800,
    // Exceeds the memory of the machine.
    dirty: NaN,
    per_cpu: 5120,
    swap_cached: 0,
  });
});

test('MemoryGroup leaves out unknown values when an old kernel has no MemAvailable', (t) => {
  const values = valuesOf(openScraper(t, copyMachine('old'), ['memory']).scrape(0));
  assert.equal(values['system.memory.usage used'], undefined);
  assert.equal(values['system.memory.usage free'], 4_096_000_000);
});

test('MemoryGroup reports the contents of one file when this kernel has no other', (t) => {
  const folder = copyMachine('server');
  rmSync(join(folder, 'proc/vmstat'));
  const values = valuesOf(openScraper(t, folder, ['memory']).scrape(0));
  assert.equal(values['system.memory.limit'], 16_384_000_000);
  assert.equal(values['system.paging.faults major'], undefined);
});

test('MemoryGroup reports the contents of one file and names the other when that is garbage', (t) => {
  const folder = copyMachine('server');
  writeFileSync(join(folder, 'proc/vmstat'), 'none\n');
  const tables: Table[] = [];
  assert.throws(() => {
    for (const table of openScraper(t, folder, ['memory']).scrape(0)) tables.push(table);
  }, /^Error: .*vmstat: expected a line that begins with "pgmajfault " and has a number, found none$/u);
  assert.equal(valuesOf(tables)['system.memory.limit'], 16_384_000_000);
});

test('MemoryGroup counts page faults when the kernel does not count swapping', (t) => {
  const { scrape, tables } = readDamaged(t, 'memory', (folder) =>
    dropLine(join(folder, 'proc/vmstat'), 'pswp'),
  );
  assert.throws(scrape, /vmstat: expected a line that begins with "pswpin "/u);
  const values = valuesOf(tables);
  assert.equal(values['system.paging.faults major'], 0);
  assert.ok(!('system.paging.operations major in' in values));
  assert.equal(values['system.memory.limit'], 16_384_000_000);
});
