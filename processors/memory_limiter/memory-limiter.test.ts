import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createFakeContext,
  createLogCollector,
  createMeterReader,
  createTableCollector,
} from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { histogramOf, histogramTable, rowOf } from '../../src/model/histogram.fixture.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import { createRow } from '../../src/model/table.js';
import { schema } from './config.js';
import { factory, findLimits } from './factory.js';
import { MemoryLimiter } from './memory-limiter.js';

const series = [{ metric: hwEnergy, resource: { attributes: {} }, attributes: {}, start: 0n }];
const table = createRow(series, 1n, Float64Array.of(1));

function create() {
  const [out, log, meterReader] = [createTableCollector(), createLogCollector(), createMeterReader()];
  const machine = { bytes: 50, collections: 0, afterCollection: 50, nowNs: 0n };
  const context = createFakeContext({ log });
  const limiter = new MemoryLimiter(
    { soft: 80, hard: 100 },
    {
      ...context,
      id: 'memory_limiter',
      clock: { ...context.clock, monotonicNs: () => machine.nowNs },
      meter: meterReader.meter,
      next: out,
      checkMs: 1000,
      collectMs: 10_000,
      readBytes: () => machine.bytes,
      collect() {
        machine.collections += 1;
        machine.bytes = machine.afterCollection;
      },
    },
  );
  return { limiter, machine, out, log, meterReader };
}

test('memory_limiter refuses tables above the soft limit only, and says so once', async () => {
  const { limiter, machine, out, log, meterReader } = create();
  assert.equal(limiter.consume(table), true);
  machine.bytes = 90;
  limiter.check();
  limiter.check();
  assert.equal(limiter.consume(table), false);
  assert.equal(limiter.consume({ ...table, ended: series }), false);
  assert.deepEqual(out.tables.at(-1)?.ended, series);
  assert.equal(out.tables.length, 2);
  machine.bytes = 70;
  limiter.check();
  assert.equal(limiter.consume(table), true);
  assert.equal(machine.collections, 0);
  assert.equal(log.lines.filter((line) => line.includes('Refusing tables')).length, 1);
  assert.equal(log.lines.filter((line) => line.includes('Recovered')).length, 1);
  const totals = await meterReader.read();
  assert.equal(totals['otelcol_processor_refused_metric_points{memory_limiter}'], 2);
});

test('memory_limiter collects garbage above the limit, not too often', () => {
  const { limiter, machine } = create();
  machine.bytes = 120;
  machine.afterCollection = 110;
  limiter.check();
  assert.equal(machine.collections, 1);
  machine.nowNs = 9_000_000_000n;
  limiter.check();
  assert.equal(machine.collections, 1);
  machine.nowNs = 10_000_000_000n;
  machine.afterCollection = 60;
  limiter.check();
  assert.equal(machine.collections, 2);
  assert.equal(limiter.consume(table), true);
});

test('findLimits takes MiB before percentages, and a fifth of the limit for spikes', () => {
  assert.deepEqual(limitsOf({}), mebibytes(400, 500));
  assert.deepEqual(limitsOf({ limit_mib: 100, limit_percentage: 10 }), mebibytes(80, 100));
  assert.deepEqual(limitsOf({ limit_mib: 100, spike_limit_mib: 30 }), mebibytes(70, 100));
  assert.deepEqual(limitsOf({ limit_percentage: 75, spike_limit_percentage: 15 }), mebibytes(600, 750));
});

test('memory_limiter reads the memory of this process, and can collect garbage', async () => {
  const log = createLogCollector();
  const config = parseSettings(schema, { limit_mib: 2, check_interval: '10ms' });
  const processor = factory.create(config, createFakeContext({ log }), createTableCollector());
  await processor.start();
  assert.equal(processor.consume(table), false);
  await processor.shutdown();
  assert.match(log.lines.join('\n'), /expected at most 2 MiB of memory, found \d+ MiB/u);
});

test('memory_limiter refuses limits that leave nothing', () => {
  assert.match(
    check({ limit_mib: 5, spike_limit_mib: 5 }).join(),
    /spike_limit_mib: expected less than limit_mib/u,
  );
  assert.match(
    check({ limit_percentage: 5, spike_limit_percentage: 9 }).join(),
    /expected less than limit_percentage/u,
  );
});

function limitsOf(settings: object): ReturnType<typeof findLimits> {
  return findLimits(parseSettings(schema, settings), 1000 * 2 ** 20);
}

function mebibytes(soft: number, hard: number): ReturnType<typeof findLimits> {
  return { soft: soft * 2 ** 20, hard: hard * 2 ** 20 };
}

function check(settings: object): readonly string[] {
  return factory.check?.(parseSettings(schema, settings)) ?? [];
}

test('memory_limiter refuses histograms above the soft limit, too, save their endings', async () => {
  const { limiter, machine, out, meterReader } = create();
  const one = histogramOf();
  const histograms = histogramTable([[one, 1_000, rowOf([1, 2, 3])]]);
  assert.equal(limiter.consumeHistograms(histograms), true);
  machine.bytes = 90;
  limiter.check();
  assert.equal(limiter.consumeHistograms({ ...histograms, ended: [one] }), false);
  assert.deepEqual(
    out.histograms.map(({ counts, ended }) => [[...counts], ended]),
    [
      [[6], undefined],
      [[], [one]],
    ],
  );
  assert.equal((await meterReader.read())['otelcol_processor_refused_metric_points{memory_limiter}'], 1);
});
