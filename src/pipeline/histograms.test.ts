import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Consumer } from '../component/consumer.js';
import { createLogCollector, createMeterReader, createTableCollector } from '../component/fakes.js';
import { createHistogramEnding } from '../model/histogram-table.js';
import { histogramOf, histogramTable, rowOf } from '../model/histogram.fixture.js';
import { countPassage, guard, receiverCounters } from './guard.js';
import { leaveOut, passAround } from './histograms.js';

const table = histogramTable([[histogramOf(), 1_000, rowOf([1, 2, 3])]]);
const numbersOnly: Consumer = { consume: () => true };

test('passAround passes histograms around a processor that does not support them', () => {
  const next = createTableCollector();
  assert.equal(passAround(guard(numbersOnly, createLogCollector()), next).consumeHistograms?.(table), true);
  assert.deepEqual(next.histograms, [table]);
  const refusing = { consume: () => true, consumeHistograms: () => false };
  assert.equal(passAround(numbersOnly, refusing).consumeHistograms?.(table), false);
});

test('passAround gives a processor that supports histograms all of them', () => {
  const [knowing, next] = [createTableCollector(), createTableCollector()];
  passAround(knowing, next).consumeHistograms?.(table);
  assert.deepEqual([knowing.histograms, next.histograms], [[table], []]);
});

test('leaveOut drops histograms in front of an exporter without a format for them, warns once and counts them', async () => {
  const [log, { meter, read }] = [createLogCollector(), createMeterReader()];
  const exporter = leaveOut(numbersOnly, { id: 'page', log, meter });
  for (const one of [createHistogramEnding([], 0n), table, table])
    assert.equal(exporter.consumeHistograms?.(one), true);
  assert.deepEqual(log.lines, [
    'warn: Leaving out histograms such as "http.server.request.duration": this exporter writes numbers only',
  ]);
  assert.equal((await read())['otelcol_exporter_send_failed_metric_points{page}'], 2);
});

test('countPassage and guard support histograms if the consumer does, count them and survive its errors', async () => {
  const [log, { meter, read }] = [createLogCollector(), createMeterReader()];
  let isBroken = false;
  const exporter: Consumer = {
    consume: () => true,
    consumeHistograms() {
      if (isBroken) throw new Error('no room');
      return true;
    },
  };
  const counted = countPassage(guard(exporter, log), receiverCounters(meter, 'web'));
  assert.equal(counted.consumeHistograms?.(table), true);
  isBroken = true;
  assert.equal(counted.consumeHistograms?.(table), false);
  assert.match(log.lines.join(), /Cannot process a table: no room/u);
  const counts = await read();
  assert.equal(counts['otelcol_receiver_accepted_metric_points{web}'], 1);
  assert.equal(counts['otelcol_receiver_refused_metric_points{web}'], 1);
});
