import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSampler } from './sampler.js';

test('the sensor counts joules from its first reading, and a reset ends it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sensor-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'energy');
  const row = new Float64Array(1);
  writeFileSync(path, '2000000\n');
  const sampler = openSampler(path);
  t.after(() => sampler.close());
  const readings = ['2000000\n', '3500000\n', 'n/a\n', '4000000\n'].map((text) => {
    writeFileSync(path, text);
    sampler.read(row, 0);
    return row[0];
  });
  assert.deepEqual(readings, [0, 1.5, NaN, 2]);
  writeFileSync(path, '100\n');
  assert.throws(() => sampler.read(row, 0), /the counter was reset/u);
});
