import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../../src/model/check-tables.js';
import { counted, create, createSeries, requests } from './work.fixture.js';

test('work keeps two parts of the energy of one machine apart, by the attributes that select them', () => {
  const workloads = ['cpu', 'gpu'].map((type) => ({
    units: requests.units,
    energy: 'hw.energy',
    attributes: { 'hw.type': type },
    match: [],
  }));
  const { feed, energies, out } = create(workloads);
  const meters = ['cpu', 'gpu'].map((type) => createSeries('hw.energy', { attributes: { 'hw.type': type } }));
  for (const atS of [0, 1, 2]) feed(atS, [...meters, counted], [10 * atS, 100 * atS, atS]);
  assert.deepEqual(energies(), {
    'request cpu': 20,
    'undivided cpu': 0,
    'request gpu': 200,
    'undivided gpu': 0,
  });
  checkTables(out.tables);
});

/** For each entry, whether its workload is named after its energy. */
function listNamed(entries: readonly object[]): readonly boolean[] {
  const { feed, points } = create(entries.map((entry) => ({ units: requests.units, match: [], ...entry })));
  const attributes = { 'hw.type': 'cpu' };
  const meters = ['hw.energy', 'rapl.energy'].map((name) => createSeries(name, { attributes }));
  for (const atS of [0, 1, 2]) feed(atS, [...meters, counted], [10 * atS, 100 * atS, atS]);
  return points('work.energy', 'request')
    .filter(({ atS }) => atS === 2)
    .map(({ series }) => 'work.energy.metric' in series.attributes);
}

test('work distinguishes what entries with different energy of one resource publish, by the name of the energy', () => {
  const workloads = ['hw.energy', 'rapl.energy'].map((energy) => ({
    units: requests.units,
    energy,
    match: [],
  }));
  const { feed, energies, out } = create(workloads);
  const meters = ['hw.energy', 'rapl.energy'].map((name) => createSeries(name));
  for (const atS of [0, 1, 2]) feed(atS, [...meters, counted], [10 * atS, 100 * atS, atS]);
  assert.deepEqual(energies(), {
    'request hw.energy': 20,
    'undivided hw.energy': 0,
    'request rapl.energy': 200,
    'undivided rapl.energy': 0,
  });
  checkTables(out.tables);
});

test('work names a workload after its energy only where another entry may use the same resource', () => {
  assert.deepEqual(listNamed([{ energy: 'hw.energy' }]), [false]);
  const filters = [
    { energy: 'hw.energy', attributes: { 'hw.type': 'cpu' } },
    { energy: 'rapl.energy', attributes: { 'service.name': 'llm' } },
  ];
  assert.deepEqual(listNamed(filters), [true, true]);
  const others = [
    { energy: 'hw.energy', attributes: { 'hw.type': 'cpu' } },
    { energy: 'rapl.energy', attributes: { 'hw.type': 'memory' } },
  ];
  assert.deepEqual(listNamed(others), [false]);
});
