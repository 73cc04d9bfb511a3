import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factory as simulator } from '../receivers/simulator/factory.js';
import { specOf } from '../receivers/simulator/spec.js';
import { parseSettings } from '../src/config/settings.js';
import { createSensors } from '../src/simulation/energy-sensor.js';
import { createMachine } from '../src/simulation/machine.js';
import { createReceiver, rowsOf, runReceivers, sumAt, type Row } from './simulation.fixture.js';
import { total } from './sums.js';

const settings = {
  seed: 11,
  sockets: 1,
  cpus_per_socket: 4,
  gpus: 0,
  processes: 6,
  arrivals: 6,
  spread: 0,
  sampling_interval: '100us',
  flush_interval: '100ms',
  collection_interval: '200ms',
};

test('the energy of a 10 kHz sampler is exact to a count of the sensor under all faults at once, without a spike', async (t) => {
  const wanted = {
    ...settings,
    sensor: { jitter: 0.5 },
    faults: {
      torn: 0.01,
      failed: 0.01,
      empty: 0.01,
      schedule: [
        { kind: 'wrap', at: '1s' },
        { kind: 'dead', at: '1500ms', for: '300ms', domain: 'dram-0' },
        { kind: 'hotplug', at: '2s', for: '300ms', domain: 'package-0' },
        { kind: 'offline', at: '500ms', for: '1s' },
      ],
    },
  };
  const tables = await runReceivers(t, [createReceiver(simulator, wanted)], 3000);
  const machine = createMachine(specOf(parseSettings(simulator.schema, wanted)));
  const sensors = createSensors(machine);
  // Idle energy shows at which instant simulated time started.
  const idle = rowsOf(tables, 'simulator.energy').find(
    ({ series }) => series.attributes['simulator.part'] === 'idle' && series.attributes['hw.id'] === 'dram-0',
  );
  assert.ok(idle);
  const startNs = idle.series.start;
  const energy = rowsOf(tables, 'hw.energy');
  const series = [...new Set(energy.map((row) => row.series))];
  assert.equal(series.length, 2, 'a counter started again');
  for (const one of series) {
    const sensor = sensors.find(
      ({ domain }) =>
        `cpu-${domain.name}` === one.attributes['hw.id'] || domain.name === one.attributes['hw.id'],
    );
    assert.ok(sensor);
    const index = machine.domains.indexOf(sensor.domain);
    const rows = energy.filter((row) => row.series === one);
    assert.ok(rows.length > 100);
    const truthNj = (us: number) => machine.energyNj(index, sensor.shownUs(us));
    const usOf = ({ ns }: Row) => Number((ns - startNs) / 1000n);
    // A row gets its timestamp after its reading, possibly much later on a busy machine, but before the next
    // reading.
    const candidates = (row: Row, before: Row | undefined) => {
      const sinceUs = before ? Math.min(usOf(before) - 5_000, usOf(row) - 100_000) : 0;
      const count = Math.ceil((usOf(row) - sinceUs) / 250);
      const instants = Array.from({ length: count }, (_, i) => Math.max(0, usOf(row) - 250 * i));
      return [...new Set(instants.map((us) => Number(truthNj(us)) / 1e9))];
    };
    const sample = rows
      .map((row, i) => ({ row, truths: i % 97 === 0 ? candidates(row, rows[i - 1]) : [] }))
      .filter(({ truths }) => truths.length > 0);
    const isFound = sample[0]?.truths.some((base) =>
      sample.every(({ row, truths }) =>
        truths.some((joules) => Math.abs(joules - base - row.value) < 63.1e-6),
      ),
    );
    assert.ok(isFound, `no reading of the truth explains the rows of ${sensor.domain.name}`);
    const growths = rows.slice(1).map((row, i) => row.value - (rows[i]?.value ?? 0));
    assert.ok(growths.every((joules) => joules >= 0));
  }
});

test('the attributed joules of each process are exact where all programs cost the same', async (t) => {
  const tables = await runReceivers(t, [createReceiver(simulator, { ...settings, seed: 12 })], 4000);
  const truth = rowsOf(tables, 'simulator.energy').filter(
    ({ series }) => series.attributes['simulator.part'] === 'process',
  );
  const attributed = rowsOf(tables, 'process.energy');
  // The first windows start before the first reading of the energy.
  const startNs = attributed[0]?.series.start ?? assert.fail('nothing was attributed');
  const from = attributed.find(({ ns }) => ns > startNs + 1_000_000_000n)?.ns ?? assert.fail();
  // The last window ends with the last reading of the energy, for whose instant the true value is not known.
  const scans = new Set(truth.map(({ ns }) => ns));
  const to = attributed.findLast(({ ns }) => scans.has(ns))?.ns ?? assert.fail();
  const [trueBefore, trueAfter, before, after] = [truth, truth, attributed, attributed].map((rows, i) =>
    sumAt(rows, i % 2 === 0 ? from : to, 'process.pid'),
  );
  assert.ok(trueBefore && trueAfter && before && after);
  const growths = [...trueAfter].map(([pid, joules]) => ({
    pid,
    joules: joules - (trueBefore.get(pid) ?? 0),
    found: (after.get(pid) ?? 0) - (before.get(pid) ?? 0),
  }));
  assert.ok(total(growths.map(({ joules }) => joules)) > 20);
  for (const { pid, joules, found } of growths) {
    // On a busy machine a reading gets a late timestamp, and its energy counts for the next window.
    const allowed = 0.05 * joules + 0.5;
    assert.ok(Math.abs(found - joules) < allowed, `pid ${pid}: ${found} J, truly ${joules} J`);
  }
});
