import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainTree, listContainers, type Place } from './domain-tree.js';

function createTree(places: Readonly<Record<string, readonly Place[]>>, owners: Record<string, string> = {}) {
  const tree = new DomainTree((key) => owners[key]);
  for (const [receiver, own] of Object.entries(places)) for (const place of own) tree.place(receiver, place);
  return tree;
}

test('listContainers gives what contains a domain, the nearest first, by the number of its socket', () => {
  assert.deepEqual(listContainers('cpu/1'), ['module/1', 'psys/1', 'psys/0', 'host']);
  assert.deepEqual(listContainers('core/1/2'), ['cpu/1/2', 'cpu/1', 'module/1', 'psys/1', 'psys/0', 'host']);
  assert.deepEqual(listContainers('gpu/0000:65:00.0'), ['module', 'host']);
  assert.deepEqual(listContainers('psys/0'), ['host']);
  assert.deepEqual(listContainers('host'), []);
  assert.deepEqual(listContainers('something/else'), ['host']);
});

test('DomainTree finds the nearest container that has a meter, of whatever receiver', () => {
  const places = {
    rapl: [
      { id: 'cpu-package-0', key: 'cpu/0' },
      { id: 'core-0', key: 'core/0' },
    ],
    ipmi: [{ id: 'ipmi0', key: 'host' }],
    hwmon: [
      { id: 'rail', within: ['module/0', 'host'] },
      { id: 'load', within: [] },
    ],
  };
  const tree = createTree(places);
  const parents = ['core-0', 'cpu-package-0', 'rail', 'load', 'ipmi0', 'unknown'].map((id) =>
    tree.parentOf(id),
  );
  assert.deepEqual(parents, ['cpu-package-0', 'ipmi0', 'ipmi0', undefined, undefined, undefined]);
});

test('DomainTree prefers the meter that publishes the domain, in whatever order the meters come', () => {
  const bmc = ['ipmi', [{ id: 'ipmi0', key: 'host' }]] as const;
  const board = ['hwmon', [{ id: 'power1', key: 'host' }]] as const;
  const cpu = ['rapl', [{ id: 'cpu-package-0', key: 'cpu/0' }]] as const;
  for (const order of [
    [bmc, board, cpu],
    [cpu, board, bmc],
  ]) {
    const tree = createTree(Object.fromEntries(order), { host: 'ipmi' });
    assert.equal(tree.parentOf('cpu-package-0'), 'ipmi0');
  }
});

test('DomainTree gives a GPU the module, where there is only one', () => {
  const gpu = { id: 'GPU-1', key: 'gpu/GPU-1' };
  const modules = [0, 1].map((number) => ({ id: `module${number}`, key: `module/${number}` }));
  assert.equal(createTree({ nvml: [gpu], hwmon: modules.slice(0, 1) }).parentOf('GPU-1'), 'module0');
  assert.equal(createTree({ nvml: [gpu], hwmon: modules }).parentOf('GPU-1'), undefined);
});

test('DomainTree has no parents of a receiver that has stopped', () => {
  const tree = createTree({ rapl: [{ id: 'cpu', key: 'cpu/0' }], ipmi: [{ id: 'ipmi0', key: 'host' }] });
  tree.release('ipmi');
  assert.equal(tree.parentOf('cpu'), undefined);
});

test('DomainTree finds the only module, when a receiver has stopped that had another one', () => {
  const gpu = { id: 'GPU-1', key: 'gpu/GPU-1' };
  const [first, second] = [0, 1].map((number) => ({ id: `module${number}`, key: `module/${number}` }));
  const tree = createTree({ nvml: [gpu], ...(first && second && { hwmon: [first], scmi: [second] }) });
  tree.release('hwmon');
  assert.equal(tree.parentOf('GPU-1'), 'module1');
});
