import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSpec } from '../../src/simulation/machine-spec.js';
import { SimulatorSampler } from './sampler.js';

test('SimulatorSampler begins only that counter again which was reset, and continues with the others', () => {
  const faults = [{ kind: 'reset', atUs: 2_500_000, forUs: 0, domain: 'dram-0' }] as const;
  let us = 0;
  const sampler = new SimulatorSampler(createSpec({ sockets: 1, gpus: 0, faults }), () => us);
  const values = new Float64Array(sampler.width);
  const names = sampler.columns.domains.map(({ name }) => name);
  const { columnIds } = sampler;
  const read = (seconds: number) => {
    us = seconds * 1e6;
    sampler.read(values, 0);
    return new Map(names.map((name, column) => [name, values[column] ?? NaN]));
  };
  const [, , before, held, after] = [0, 1, 2, 3, 4].map(read);
  assert.ok(before && held && after);
  assert.equal(sampler.generation, 1);
  assert.deepEqual(
    names.filter((_, column) => sampler.columnIds[column] !== columnIds[column]),
    ['dram-0'],
  );
  // The second of the first reading after the reset is known, and it is what the counter shows a second later.
  assert.equal(held.get('dram-0'), NaN);
  assert.ok((after.get('dram-0') ?? 0) > 0);
  const agesMs = sampler.columns.agesMs.filter((ageMs) => ageMs !== 0);
  assert.deepEqual(agesMs, [1_000]);
  for (const name of names.filter((one) => one !== 'dram-0')) {
    assert.ok((after.get(name) ?? 0) > (before.get(name) ?? 0), name);
  }
});
