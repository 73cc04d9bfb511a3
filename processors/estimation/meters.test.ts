import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import { create, createSeries, FakeOwners } from './estimation.fixture.js';

const settings = { cpu: { idle_power: 20, max_power: 100 } };
const memory = [createSeries('system.memory.limit')];
const gigabyte = 2 ** 30;

/** What two readings of the CPUs and of 100 GB of memory give, a second apart. */
function estimate(options: object, ...claimed: readonly string[]) {
  const owners = new FakeOwners();
  owners.claim(...claimed);
  const estimation = create(options, owners);
  estimation.cpus(0, 2);
  for (const second of [0, 1]) {
    estimation.busy(second, second);
    estimation.row(memory, second, 100 * gigabyte);
  }
  return estimation;
}

test('estimation leaves hw.energy to a meter of the CPUs, and adds what the meter lacks', () => {
  assert.deepEqual(estimate(settings, 'energy/cpu/0').joules(), {
    'hw.energy memory-estimate': 39.2,
    'hw.meter.energy cpu-estimate': 60,
  });
  assert.deepEqual(estimate(settings, 'energy/cpu/0', 'energy/memory/0').joules(), {
    'hw.meter.energy cpu-estimate': 60,
    'hw.meter.energy memory-estimate': 39.2,
  });
});

test('estimation adds nothing to hw.energy where the whole host is measured', () => {
  assert.deepEqual(estimate(settings, 'energy/host').joules(), {
    'hw.meter.energy cpu-estimate': 60,
    'hw.meter.energy memory-estimate': 39.2,
  });
});

test('estimation keeps parts out of hw.energy that the estimate of a whole server contains', () => {
  const estimation = estimate({});
  assert.deepEqual(Object.keys(estimation.joules()), [
    'hw.host.energy host-estimate',
    'hw.meter.energy memory-estimate',
  ]);
  const [{ series } = assert.fail()] = estimation.out.last('hw.meter.energy');
  assert.equal(series.attributes['hw.parent'], 'host-estimate');
  assert.equal(estimation.out.last('energy.floor.power').length, 1);
});

test('estimation adds nothing until every receiver has started and claimed what it measures', () => {
  const owners = new FakeOwners();
  owners.isComplete = false;
  const estimation = create(settings, owners);
  estimation.cpus(0, 2);
  estimation.busy(0, 0);
  assert.equal(estimation.out.tables.length, 2);
  owners.isComplete = true;
  owners.claim('energy/cpu/0');
  for (const second of [1, 2]) {
    estimation.cpus(second, 2);
    estimation.busy(second, second);
  }
  estimation.busy(3, 3);
  assert.deepEqual(Object.keys(estimation.joules()), ['hw.meter.energy cpu-estimate']);
});

test('estimation ends its counter when a meter of the same starts later, and counts on in another metric', () => {
  const estimation = estimate(settings);
  assert.deepEqual(Object.keys(estimation.joules()), ['hw.energy cpu-estimate', 'hw.energy memory-estimate']);
  estimation.owners.claim('energy/cpu/0');
  estimation.busy(2, 2);
  const ended = estimation.out.tables.flatMap((table) => table.ended ?? []);
  assert.deepEqual(
    ended.map(({ metric }) => metric.name),
    ['hw.energy', 'energy.floor.power'],
  );
  estimation.busy(3, 3);
  assert.equal(estimation.joules()['hw.meter.energy cpu-estimate'], 60);
});

test('estimation knows the meters of another machine by its tables, whatever is claimed here', () => {
  const other = { attributes: { 'host.name': 'other' } };
  const estimation = estimate(settings, 'energy/memory');
  const far = createSeries('system.memory.limit', {}, other);
  const far2 = createSeries('system.disk.io_time', { 'system.device': 'nvme0n1' }, other);
  estimation.row([far, far2], 0, gigabyte, 0);
  const find = () =>
    estimation.out.tables
      .flatMap(({ series }) => series)
      .filter(({ resource, attributes }) => resource === other && attributes['energy.method'] === 'estimated')
      .map(({ metric, attributes }) => `${metric.name} ${attributes['hw.id']}`);
  assert.deepEqual(
    find().filter((one) => one.startsWith('hw.')),
    ['hw.energy memory-estimate', 'hw.energy nvme0n1-estimate'],
  );
  const dram = createSeries(hwEnergy, { 'hw.type': 'memory', 'hw.id': 'dram-0' }, other);
  estimation.row([dram], 1, 5);
  estimation.row([far, far2], 1, gigabyte, 0);
  assert.deepEqual(find().slice(-3), [
    'hw.meter.energy memory-estimate',
    'hw.energy nvme0n1-estimate',
    'energy.floor.power nvme0n1-estimate',
  ]);
});
