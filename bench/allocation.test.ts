import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loads, measureHeap, type MeasuredLoad } from './allocation.js';
import { processors, prometheusStore, type Subject } from './component-loads.js';
import { createTables } from './load-tables.js';

/** Numbers are heap objects until the compiler has optimised the code, which takes at most this many rounds. */
const maxRounds = 60;

/** The minimum number of bytes per point over the rounds; stops at the first round within the budget. */
async function findHeap(subject: Subject, load: MeasuredLoad): Promise<number> {
  const tables = createTables(load);
  let fewest = Infinity;
  for (let round = 0; round < maxRounds && fewest > load.maxBytes; round += 1) {
    fewest = Math.min(fewest, measureHeap(subject, tables));
    // Lets the compiler thread finish.
    await nextTurn();
  }
  return fewest;
}

for (const load of loads) {
  for (const subject of [...processors, prometheusStore]) {
    test(`${subject.name} allocates no heap per point: ${load.what}`, async () => {
      const bytes = await findHeap(subject, load);
      assert.ok(bytes <= load.maxBytes, `${bytes} bytes of heap per point`);
    });
  }
}

test('measureHeap detects a number that each point allocates on the heap', async () => {
  const kept: unknown[] = [];
  const boxing: Subject = {
    name: 'boxing',
    create: () => (table) => table.values.forEach((value, i) => (kept[i & 7] = { value })),
  };
  const [load] = loads;
  assert.ok(load);
  const bytes = await findHeap(boxing, load);
  assert.ok(bytes > load.maxBytes, `${bytes} bytes of heap per point`);
});

test('every processor is measured', () => {
  const folders = readdirSync(fileURLToPath(new URL('../processors/', import.meta.url)));
  const measured = new Set(processors.map(({ name }) => name.replace(/,.*/u, '')));
  assert.deepEqual([...measured].toSorted(), folders.toSorted());
});
