import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { diskModels, memoryWattsPerGb, networkModel, serverModels } from '../../src/energy/power-models.js';
import { createEnding } from '../../src/model/table.js';
import { busyTime } from '../../src/model/usage-metrics.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { create, createSeries, unixNs } from './estimation.fixture.js';
import { factory } from './factory.js';

const powers = { idle_power: 20, max_power: 100 };

function io(name: string, direction: string) {
  return createSeries('system.network.io', {
    'network.interface.name': name,
    'network.io.direction': direction,
  });
}

function check(settings: object) {
  return factory.check?.(parseSettings(factory.schema, settings));
}

test('estimation gives the energy of a whole server by its row of the table, without settings', () => {
  const estimation = create();
  estimation.cpus(0, 4);
  estimation.busy(0, 10);
  estimation.busy(1, 12);
  // 4 CPUs, half of them busy: 4 x (0.74 + (3.5 - 0.74) / 2) W.
  assert.deepEqual(estimation.joules(), { 'hw.host.energy host-estimate': 8.48 });
  const [energy] = estimation.out.last('hw.host.energy');
  assert.deepEqual(energy?.series.attributes, {
    'hw.type': 'host',
    'hw.id': 'host-estimate',
    'hw.name': 'Host, estimated',
    'energy.method': 'estimated',
    'energy.model': 'linear',
  });
  assert.deepEqual(energy?.series.resource.attributes, { 'host.name': 'node' });
  assert.equal(energy?.series.start, unixNs(0));
  assert.equal(estimation.out.last('energy.floor.power')[0]?.value, 4 * 0.74);
});

test('estimation takes the row of the processors that are named', () => {
  const estimation = create({ cpu: { processor: 'epyc_2' } });
  estimation.cpus(0, 100);
  estimation.busy(0, 0);
  estimation.busy(1, 50);
  assert.deepEqual(estimation.joules(), { 'hw.host.energy host-estimate': 47 + (169 - 47) / 2 });
});

test('estimation takes the TDP for the power at full use, and a share of it for some of the CPUs', () => {
  const estimation = create({ cpu: { tdp: 200, tdp_cpus: 64 } });
  estimation.cpus(0, 8);
  estimation.busy(0, 0);
  estimation.busy(2, 4);
  // An eighth of 200 W, a quarter of the time, for 2 s.
  assert.deepEqual(estimation.joules(), { 'hw.energy cpu-estimate': 12.5 });
});

test('estimation adds up to the integral of the power, computed by itself over random windows', () => {
  const estimation = create({ cpu: powers });
  const random = createRandom(7).fraction;
  let [at, busy, truth] = [0, 0, 0];
  estimation.cpus(0, 8);
  estimation.busy(0, 0);
  for (let i = 0; i < 2000; i++) {
    const seconds = 0.01 + random();
    const used = random() * 8 * seconds;
    at += seconds;
    busy += used;
    truth += 20 * seconds + 80 * (used / 8);
    estimation.busy(at, busy);
  }
  const { 'hw.energy cpu-estimate': joules = NaN } = estimation.joules();
  assert.ok(Math.abs(joules - truth) < 1e-6 * truth, `${joules} J, truly ${truth} J`);
});

test('estimation gives the same energy in whatever windows the use is read', () => {
  const often = create({ cpu: powers });
  const twice = create({ cpu: powers });
  for (const one of [often, twice]) one.cpus(0, 2);
  for (let i = 0; i <= 1000; i++) often.busy(i / 100, i * 0.005 + (i % 2) * 0.004);
  twice.busy(0, 0);
  twice.busy(10, 5);
  const [a = NaN, b = NaN] = [often, twice].map((one) => one.joules()['hw.energy cpu-estimate']);
  assert.ok(Math.abs(a - b) < 1e-9, `${a} J and ${b} J`);
});

test('estimation multiplies the power above idle by the frequency that the CPUs have', () => {
  const estimation = create({ cpu: { ...powers, max_frequency: 4e9, frequency_exponent: 2 } });
  const frequencies = [0, 1].map((cpu) =>
    createSeries('system.cpu.frequency', { 'cpu.logical_number': cpu }),
  );
  estimation.cpus(0, 2);
  estimation.row(frequencies, 0, 1e9, 3e9);
  estimation.busy(0, 0);
  estimation.busy(1, 2);
  // Half of the frequency, so a quarter of the power above idle.
  assert.deepEqual(estimation.joules(), { 'hw.energy cpu-estimate': 20 + 80 / 4 });
  estimation.row(frequencies, 1, NaN, 5e9);
  estimation.busy(2, 4);
  assert.deepEqual(estimation.joules(), { 'hw.energy cpu-estimate': 140 });
});

test('estimation gives the energy of memory by its size, of drives and ports by their use', () => {
  const estimation = create({
    cpu: powers,
    disk: { hdd: { devices: '^sd', idle_power: 5, max_power: 9 }, ssd: { idle_power: 2, max_power: 8 } },
    network: { idle_power: 3, max_power: 5, speed: 8e9 },
  });
  const series = [
    createSeries('system.memory.limit'),
    ...['sda', 'nvme0n1', 'loop0'].map((device) =>
      createSeries('system.disk.io_time', { 'system.device': device }),
    ),
    io('eth0', 'receive'),
    io('eth0', 'transmit'),
    io('lo', 'receive'),
  ];
  estimation.row(series, 0, 64 * 2 ** 30, 7, 1, 5, 1e9, 1e9, 9);
  estimation.row(series, 10, 64 * 2 ** 30, 12, 11, 5, 6e9, 1e9, 9);
  assert.deepEqual(estimation.joules(), {
    'hw.energy memory-estimate': 64 * 0.392 * 10,
    // Busy for half of the time.
    'hw.energy sda-estimate': 70,
    'hw.energy nvme0n1-estimate': 80,
    // 5 GB in 10 s, of 10 GB in each direction.
    'hw.energy eth0-estimate': 30 + (2 * 10) / 4,
  });
});

test('estimation counts a gap with the reading after it, and no more than full use', () => {
  const estimation = create({ cpu: powers });
  estimation.cpus(0, 2);
  for (const [atS, seconds] of [
    [0, 0],
    [1, NaN],
    [2, 9],
  ] as const)
    estimation.busy(atS, seconds);
  assert.deepEqual(estimation.joules(), { 'hw.energy cpu-estimate': 200 });
});

test('estimation begins with the first row of use after the number of CPUs is known', () => {
  const estimation = create({ cpu: powers });
  estimation.busy(0, 0);
  estimation.busy(1, 1);
  assert.deepEqual(estimation.joules(), {});
  estimation.cpus(1, 2);
  estimation.busy(2, 2);
  estimation.busy(3, 3);
  assert.deepEqual(estimation.joules(), { 'hw.energy cpu-estimate': 60 });
  assert.equal(estimation.out.last('hw.energy')[0]?.series.start, unixNs(2));
});

test('estimation ends an estimate with the series that it follows from, and counts the next one from 0', () => {
  const estimation = create({ cpu: powers });
  const [first, second] = [[createSeries(busyTime)], [createSeries(busyTime)]];
  estimation.cpus(0, 2);
  estimation.row(first, 0, 0);
  estimation.row(first, 1, 2);
  estimation.consume(createEnding(first, unixNs(1)));
  const ended = estimation.out.tables.at(-1)?.ended;
  assert.deepEqual(
    ended?.map(({ metric }) => metric.name),
    ['hw.energy', 'energy.floor.power'],
  );
  estimation.row(second, 5, 1);
  estimation.row(second, 6, 1);
  assert.equal(estimation.out.last('hw.energy').at(-1)?.value, 20);
});

test('estimation gives the rows of a table in a table with the same array of series', () => {
  const estimation = create({ cpu: powers });
  estimation.cpus(0, 2);
  const series = [createSeries(busyTime)];
  for (const second of [0, 1]) {
    const offsets = Float64Array.of(0, 4e8);
    const values = Float64Array.of(second, second + 0.4);
    estimation.consume({ series, epoch: unixNs(second), offsets, values });
  }
  const added = estimation.out.tables.filter((table) => table.series[0]?.metric.name === 'hw.energy');
  assert.deepEqual(
    added.map(({ values }) => [...values]),
    [
      [0, 20, 0.4 * 60, 20],
      [60, 20, 84, 20],
    ],
  );
  assert.equal(added[0]?.series, added[1]?.series);
});

test('factory.check requires powers that fit together', () => {
  assert.deepEqual(check({}), []);
  assert.deepEqual(check({ cpu: { tdp_cpus: 4 } }), [
    'cpu.tdp: expected a power because cpu.tdp_cpus is set, found none',
  ]);
  assert.deepEqual(check({ cpu: { tdp: 100, max_power: 100 } }), [
    'cpu.tdp: expected neither idle_power nor max_power beside it, found one of them',
  ]);
  assert.deepEqual(check({ cpu: { idle_power: 100 } }), [
    'cpu.max_power: expected a power because cpu.idle_power is set, found none',
  ]);
  assert.deepEqual(check({ network: { idle_power: 10 }, disk: { ssd: { max_power: 1 } } }), [
    'disk.ssd.max_power: expected at least idle_power, 6 W, found 1 W',
    'network.max_power: expected at least idle_power, 10 W, found 4.84 W',
  ]);
});

test('The README has every row of the tables with its source', () => {
  const readme = readFileSync(new URL('../../../processors/estimation/README.md', import.meta.url), 'utf8');
  const rows = readme
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
  const all = { ...serverModels, ...diskModels, port: networkModel };
  for (const [name, { idleWatts, maxWatts, source }] of Object.entries(all)) {
    const row = rows.find(([, first]) => first === name);
    assert.deepEqual(row?.slice(2, 5), [String(idleWatts), String(maxWatts), source], name);
  }
  assert.ok(readme.includes(` ${memoryWattsPerGb} W `));
});
