import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogCollector, createTableCollector } from '../component/fakes.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { createSamplerMetrics, SamplerChannel } from './sampler-channel.js';
import { createCounts } from './sampling-rig.fixture.js';
import type { RowsMessage } from './thread-connection.js';

function createChannel(periodNs = 1e9) {
  const next = createTableCollector();
  const log = createLogCollector();
  const { meter, counts } = createCounts();
  const request = {
    id: 'rapl',
    module: new URL('file:///none.js'),
    options: {},
    periodNs,
    flushMs: 1_000,
    // The columns are names.
    describe: (columns: unknown, start: bigint) =>
      (columns as string[]).map((name) => ({
        metric: hwEnergy,
        resource: { attributes: {} },
        attributes: { 'hw.id': name },
        start,
      })),
    next,
    log,
  };
  return {
    channel: new SamplerChannel(1, request, createSamplerMetrics(meter)),
    tables: next.tables,
    log,
    counts,
  };
}

/** One row at this many nanoseconds, with the start of new columns. */
function announce(at: bigint, columns: readonly string[], columnIds?: readonly number[]): RowsMessage {
  return {
    type: 'rows',
    id: 1,
    announcement: { columns, columnIds, start: at },
    rows: { epoch: at, offsets: new Float64Array(1), values: new Float64Array(columns.length) },
    counts: { missedTicks: 0, latenessNs: 0, droppedRows: 0, droppedTables: 0 },
  };
}

test('SamplerChannel ends all series at a new generation if no column continues', () => {
  const { channel, tables } = createChannel();
  channel.takeRows(announce(1n, ['a', 'b']));
  channel.takeRows(announce(2n, ['a', 'b']));
  assert.deepEqual(tables[1]?.ended, tables[0]?.series);
  assert.notEqual(tables[2]?.series[0], tables[0]?.series[0]);
});

test('SamplerChannel continues the series of columns that remain, at any index', () => {
  const { channel, tables } = createChannel();
  channel.takeRows(announce(1n, ['a', 'b'], [7, 8]));
  channel.takeRows(announce(2n, ['c', 'b'], [9, 8]));
  const [a, b] = tables[0]?.series ?? [];
  assert.deepEqual(tables[1]?.ended, [a]);
  assert.equal(tables[2]?.series[1], b);
  assert.deepEqual(
    tables[2]?.series.map(({ start }) => start),
    [2n, 1n],
  );
});

test('SamplerChannel creates all series again when they have ended, whatever their columns are', () => {
  const { channel, tables } = createChannel();
  channel.takeRows(announce(1n, ['a'], [7]));
  channel.end();
  channel.takeRows(announce(2n, ['a'], [7]));
  assert.deepEqual(
    tables.at(-1)?.series.map(({ start }) => start),
    [2n],
  );
});

test('SamplerChannel counts the rows that an abandoned thread should have read since the last ones', () => {
  const { channel, log, counts } = createChannel(1);
  channel.takeRows(announce(1n, ['a']));
  channel.lose();
  const lost = counts.get('joulemetry.sampler.dropped_rows') ?? 0;
  assert.ok(lost > 0);
  assert.equal(counts.get('joulemetry.sampler.dropped_tables'), 1);
  assert.deepEqual(log.lines, [
    `warn: Lost up to ${lost} rows that a sampling thread had not delivered when it was abandoned`,
  ]);
});

test('SamplerChannel loses nothing with an abandoned thread if no row was due', () => {
  const { channel, log, counts } = createChannel(Number.MAX_SAFE_INTEGER);
  channel.takeRows(announce(1n, ['a']));
  channel.lose();
  assert.equal(counts.get('joulemetry.sampler.dropped_rows'), 0);
  assert.deepEqual(log.lines, []);
});
