import { readFileSync } from 'node:fs';
import { passHistograms } from '../../src/component/consumer.js';
import { createFakeContext, createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { HistogramTable } from '../../src/model/histogram-table.js';
import type { Series } from '../../src/model/series.js';
import { createRow, type Table } from '../../src/model/table.js';
import { isHistograms, type RecordedTable } from '../../src/recording/recorded-table.js';
import { schema } from './config.js';
import { factory } from './factory.js';

/** Values of a self-telemetry counter, by reason where it has several. */
export interface Counted {
  readonly sent: number;
  readonly dropped: Readonly<Record<string, number>>;
}

/** A running exporter. It flushes only when the test calls `stop`, unless the settings say otherwise. */
export async function startExporter(settings: object) {
  const log = createLogCollector();
  const counted = { sent: 0, dropped: {} as Record<string, number> };
  const { meter } = createFakeContext();
  meter.createCounter = (name) => ({
    add(points, attributes) {
      const reason = String(attributes?.['reason']);
      if (name === 'otelcol_exporter_sent_metric_points') counted.sent += points;
      if (name === 'joulemetry.exporter.dropped')
        counted.dropped[reason] = (counted.dropped[reason] ?? 0) + points;
    },
  });
  const config = parseSettings(schema, { flush_interval: '1h', ...settings });
  const exporter = factory.create(config, createFakeContext({ log, meter }));
  await exporter.start();
  return {
    log,
    counted: counted as Counted,
    consume: (table: Table) => exporter.consume(table),
    consumeHistograms: (table: HistogramTable) => passHistograms(exporter, table),
    readBacklog: () => exporter.readBacklog?.(),
    stop: () => exporter.shutdown(),
  };
}

/** Writes tables with one exporter, from start to shutdown. */
export async function writeTables(settings: object, tables: readonly RecordedTable[]): Promise<void> {
  const { consume, consumeHistograms, stop } = await startExporter(settings);
  for (const table of tables) {
    if (isHistograms(table)) consumeHistograms(table);
    else consume(table);
  }
  await stop();
}

const start = 1_800_000_000_000_000_000n;

/** A counter of joules. */
export function createSeries(name = 'hw.energy', id = 'package-0'): Series {
  return {
    metric: { name, unit: 'J', description: '', kind: 'counter', valueType: 'double' },
    resource: { attributes: { 'host.name': 'node-1' } },
    attributes: { 'hw.id': id },
    start,
  };
}

/** A table with one reading of a series, at this many seconds after its start. */
export function createReading(series: Series, second: number, value = second): Table {
  return createRow([series], start + BigInt(second) * 1_000_000_000n, Float64Array.of(value));
}

export function readFileLines(path: string): readonly string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}

/** The values in a JSON lines file. */
export function readValues(text: string): readonly number[] {
  return [...text.matchAll(/"asDouble":([\d.]+)/gu)].map(([, value]) => Number(value));
}
