import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHistogramEnding } from './histogram-table.js';
import { histogramOf, histogramTable, rowOf } from './histogram.fixture.js';
import { createPublishers } from './one-publisher.fixture.js';
import { setPublisher } from './series.js';

/** A series of histograms of a receiver. */
function histogramSeriesOf(publisher: string, name = 'a', start = 1_000n) {
  const series = histogramOf({ attributes: { name }, start });
  setPublisher(series, publisher);
  return series;
}

const counted = rowOf([1, 2, 3]);

test('applyHistograms passes the table itself, when no other receiver publishes its series', () => {
  const { publishers, conflicts } = createPublishers();
  const series = histogramSeriesOf('host');
  const first = histogramTable([[series, 1_000, counted]]);
  assert.equal(publishers.applyHistograms(first), first);
  const last = histogramTable([[series, 1_001, counted]], [series]);
  assert.equal(publishers.applyHistograms(last), last);
  assert.deepEqual(conflicts, []);
});

test('applyHistograms leaves out the rows that another receiver published first', () => {
  const { publishers, conflicts } = createPublishers();
  publishers.applyHistograms(histogramTable([[histogramSeriesOf('host'), 1_000, counted]]));
  const [same, own] = [histogramSeriesOf('slow'), histogramSeriesOf('slow', 'b')];
  const table = histogramTable([
    [same, 1_001, counted],
    [own, 1_002, rowOf([4, 5, 6])],
  ]);
  const kept = publishers.applyHistograms(table);
  assert.deepEqual(
    [kept?.series, [...(kept?.counts ?? [])], [...(kept?.buckets ?? [])]],
    [[own], [15], [4, 5, 6]],
  );
  assert.deepEqual(conflicts, ['a of host']);
  assert.equal(publishers.applyHistograms(histogramTable([[same, 1_003, counted]])), undefined);
});

test('applyHistograms passes no end of a series that was left out, and every other end', () => {
  const { publishers } = createPublishers();
  publishers.applyHistograms(histogramTable([[histogramSeriesOf('host'), 1_000, counted]]));
  const [same, own] = [histogramSeriesOf('slow'), histogramSeriesOf('slow', 'b')];
  const rows = [same, own].map((series, i) => [series, 1_001 + i, counted] as const);
  publishers.applyHistograms(histogramTable(rows));
  const ending = publishers.applyHistograms(createHistogramEnding([same, own], 1_100n));
  assert.deepEqual([ending?.ended, ending?.series.length], [[own], 0]);
  const again = histogramSeriesOf('slow');
  publishers.applyHistograms(histogramTable([[again, 1_101, counted]]));
  assert.equal(publishers.applyHistograms(createHistogramEnding([again], 1_200n)), undefined);
});

test('applyHistograms passes the histograms of the next receiver with their own start, once the first has ended', () => {
  const { publishers, clock } = createPublishers();
  const [first, next] = [histogramSeriesOf('host'), histogramSeriesOf('slow', 'a', 900n)];
  publishers.applyHistograms(histogramTable([[first, 1_000, counted]]));
  const series = histogramTable([[next, 1_001, counted]]).series;
  const tableOf = (at: number) => ({ ...histogramTable([[next, at, counted]]), series });
  assert.equal(publishers.applyHistograms(tableOf(1_001)), undefined);
  publishers.applyHistograms(createHistogramEnding([first], 1_002n));
  clock.ms = 4_999;
  assert.equal(publishers.applyHistograms(tableOf(1_003)), undefined);
  clock.ms = 5_000;
  const table = tableOf(1_004);
  assert.equal(publishers.applyHistograms(table), table);
  assert.equal(table.series[0]?.start, 900n);
});

test('release lets the histograms of another receiver pass, when nothing else is of the one that stopped', () => {
  const { publishers, clock } = createPublishers();
  const next = histogramSeriesOf('slow');
  publishers.applyHistograms(histogramTable([[histogramSeriesOf('host'), 1_000, counted]]));
  publishers.applyHistograms(histogramTable([[next, 1_001, counted]]));
  publishers.release('host');
  clock.ms = 5_000;
  const table = histogramTable([[next, 1_002, counted]]);
  assert.equal(publishers.applyHistograms(table), table);
});
