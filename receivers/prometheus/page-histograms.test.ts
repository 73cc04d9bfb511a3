import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHistograms } from '../../src/model/check-histograms.js';
import { HistogramRow, type HistogramTable } from '../../src/model/histogram-table.js';
import { createPageReader, showValues } from './page.fixture.js';

const second = 1_000_000_000n;

/** Formats rows as `name{attributes} start time count sum bounds: buckets` in seconds, and `end name start`. */
function list(tables: readonly HistogramTable[]): string[] {
  return tables.flatMap((table) => [
    ...(table.ended ?? []).map(({ metric, start }) => `end ${metric.name} ${start / second}`),
    ...table.series.map(({ metric, attributes, start }, number) => {
      const { count, sum, layout, buckets } = new HistogramRow().read(table, number);
      const at = (table.epoch + BigInt(table.offsets[number])) / second;
      const bounds = layout.kind === 'histogram' ? [...layout.bounds].join() : '';
      return `${metric.name}${JSON.stringify(attributes)} ${start / second} ${at} ${count} ${sum} ${bounds}: ${[...buckets].join()}`;
    }),
  ]);
}

function createReader(...[format = 'classic', rules]: Parameters<typeof createPageReader>) {
  const reader = createPageReader(format, { splitsHistograms: false, ...rules });
  const all: HistogramTable[] = [];
  return {
    read: reader.read,
    prepare: reader.prepare,
    series: reader.series,
    all,
    get histograms() {
      return reader.histograms;
    },
    /** The histograms of a page at a Unix time in seconds. */
    take(text: string, at: number): string[] {
      const tables = reader.read(text, at);
      all.push(...reader.histograms);
      checkHistograms(all);
      assert.deepEqual(showValues(tables), {});
      return list(reader.histograms);
    },
  };
}

/** A page with one histogram: cumulative counts up to 0.1, up to 1 and of all values. */
function pageOf(counts: readonly [number, number, number], rest = '', bounds = ['0.1', '1', '+Inf']): string {
  const buckets = bounds.map((bound, i) => `h_bucket{a="x",le="${bound}"} ${counts[i]}\n`);
  return `# HELP h Help\n# TYPE h histogram\n${buckets.join('')}h_sum{a="x"} 4.5\nh_count{a="x"} ${counts[2]}\n${rest}`;
}

const createdPage = (counts: readonly [number, number, number], created: number) =>
  pageOf(counts, `h_created{a="x"} ${created}\n# EOF\n`);

test('PageSeries assembles a histogram from its buckets, sum and count', () => {
  const reader = createReader();
  assert.deepEqual(reader.take(pageOf([1, 3, 6]), 50), ['h{"a":"x"} 50 50 6 4.5 0.1,1: 1,2,3']);
  const [{ series }] = reader.histograms;
  assert.deepEqual(series[0].metric, { name: 'h', unit: '', description: 'Help', kind: 'histogram' });
  assert.deepEqual(reader.take(pageOf([2, 4, 7]), 60), ['h{"a":"x"} 50 60 7 4.5 0.1,1: 2,2,3']);
  assert.equal(reader.histograms[0].series, series);
  assert.equal(reader.series.published, 5);
});

test('PageSeries accepts the buckets of a histogram in any order, and interleaved with others', () => {
  const reader = createReader();
  const page =
    '# TYPE h histogram\nh_bucket{le="+Inf"} 6\nh_bucket{le="1",b="y"} 2\nh_bucket{le="1"} 3\nh_bucket{b="y",le="+Inf"} 2\nh_bucket{le="0.1"} 1\n';
  assert.deepEqual(reader.take(page, 50), ['h{} 50 50 6 NaN 0.1,1: 1,2,3', 'h{"b":"y"} 50 50 2 NaN 1: 2,0']);
});

test('PageSeries starts a new histogram at the previous scrape when the count decreases', () => {
  const reader = createReader();
  reader.take(pageOf([1, 3, 6]), 50);
  assert.deepEqual(reader.take(pageOf([1, 1, 1]), 60), ['end h 50', 'h{"a":"x"} 50 60 1 4.5 0.1,1: 1,0,0']);
  assert.deepEqual(reader.take(pageOf([1, 1, 2]), 70), ['h{"a":"x"} 50 70 2 4.5 0.1,1: 1,0,1']);
});

test('PageSeries takes the start of a histogram from the page, and another one for a reset', () => {
  const reader = createReader('openmetrics');
  assert.deepEqual(reader.take(createdPage([1, 3, 6], 40), 50), ['h{"a":"x"} 40 50 6 4.5 0.1,1: 1,2,3']);
  assert.deepEqual(reader.take(createdPage([2, 4, 7], 55), 60), [
    'end h 40',
    'h{"a":"x"} 55 60 7 4.5 0.1,1: 2,2,3',
  ]);
});

test('PageSeries starts a new histogram when its bounds change, and ends one that has disappeared', () => {
  const reader = createReader();
  reader.take(pageOf([1, 3, 6]), 50);
  assert.deepEqual(reader.take(pageOf([1, 3, 6], '', ['0.1', '2', '+Inf']), 60), [
    'end h 50',
    'h{"a":"x"} 50 60 6 4.5 0.1,2: 1,2,3',
  ]);
  assert.deepEqual(reader.take('# TYPE h histogram\n', 70), ['end h 50']);
});

test('PageSeries omits a histogram with invalid buckets, and reports why', () => {
  const reader = createReader();
  assert.deepEqual(reader.take(pageOf([4, 3, 6]), 50), []);
  assert.match(reader.series.problem ?? '', /^h: expected whole counts in buckets/u);
  assert.deepEqual(reader.take(pageOf([1, 3, 6]).replace('h_count{a="x"} 6', 'h_count{a="x"} 7'), 60), []);
  assert.match(reader.series.problem ?? '', /^h: expected buckets that add up to the count of 7, found 6/u);
  assert.deepEqual(reader.take(pageOf([1, 3, 7]), 70), ['h{"a":"x"} 70 70 7 4.5 0.1,1: 1,2,4']);
  assert.equal(reader.series.problem, undefined);
});

test('PageSeries leaves a gap for histograms without a count, and for a page that could not be read', () => {
  const reader = createReader();
  reader.take(pageOf([1, 3, 6]), 50);
  assert.deepEqual(reader.take(pageOf([NaN, NaN, NaN]), 60), ['h{"a":"x"} 50 60 NaN NaN 0.1,1: ']);
  assert.deepEqual(list(reader.series.createGap(70n * second) as readonly HistogramTable[]), [
    'h{"a":"x"} 50 70 NaN NaN 0.1,1: ',
  ]);
  const [, ending] = reader.series.restart(80n * second) as readonly HistogramTable[];
  reader.all.push(ending);
  assert.deepEqual(list([ending]), ['end h 50']);
  assert.deepEqual(reader.take(pageOf([1, 3, 6]), 90), ['h{"a":"x"} 90 90 6 4.5 0.1,1: 1,2,3']);
});

test("PageSeries keeps the page's timestamps of histograms, and does not repeat them", () => {
  const reader = createReader();
  const stamped = pageOf([1, 3, 6]).replaceAll(/(\d)\n/gu, '$1 45000\n');
  assert.deepEqual(reader.take(stamped, 50), ['h{"a":"x"} 45 45 6 4.5 0.1,1: 1,2,3']);
  assert.deepEqual(reader.take(stamped, 60), []);
});

test('PageSeries ignores an impossible start or timestamp', () => {
  for (const created of [Infinity, 1e300, -1]) {
    const reader = createReader('openmetrics');
    const page = createdPage([1, 3, 6], created).replace('Infinity', '+Inf');
    assert.deepEqual(reader.take(page, 50), ['h{"a":"x"} 50 50 6 4.5 0.1,1: 1,2,3']);
  }
  for (const stamp of ['+Inf', '1e300', '650001', '-1']) {
    const stamped = pageOf([1, 3, 6]).replaceAll(/(\d)\n/gu, `$1 ${stamp}\n`);
    assert.deepEqual(createReader().take(stamped, 50), []);
  }
});

test('PageSeries ends a histogram whose bounds changed in an incomplete page', () => {
  const reader = createReader();
  reader.take(pageOf([1, 3, 6]), 50);
  const broken = pageOf([1, 3, 6], 'h_bucket{a="x",le="0.5"} 2\n???\n');
  assert.throws(() => reader.read(broken, 60), /Cannot parse line/u);
  const gap = reader.series.createGap(60n * second) as readonly HistogramTable[];
  reader.all.push(...gap);
  assert.deepEqual(list(gap), ['h{"a":"x"} 50 60 NaN NaN 0.1,1: ']);
  const wider = pageOf([1, 3, 6], 'h_bucket{a="x",le="0.5"} 2\n');
  assert.deepEqual(reader.take(wider, 70), ['end h 50', 'h{"a":"x"} 50 70 6 4.5 0.1,0.5,1: 1,1,1,3']);
});

test('PageSeries ends with the next page what disappeared from a page that was too late', () => {
  const reader = createReader();
  reader.take(pageOf([1, 3, 6]), 50);
  reader.prepare(pageOf([1, 1, 1]), 60);
  assert.deepEqual(reader.take(pageOf([1, 1, 2]), 70), ['end h 50', 'h{"a":"x"} 50 70 2 4.5 0.1,1: 1,0,1']);
});

test('PageSeries omits samples with the labels of another bucket, and keeps renamed samples unchanged', () => {
  const reader = createReader('classic', {
    change(labels) {
      if (labels.get('__name__') === 'h_sum') labels.set('__name__', 'total');
      return labels;
    },
  });
  const tables = reader.read(pageOf([1, 3, 6], 'h_bucket{a="x",le="1.0"} 3\n'), 50);
  assert.deepEqual(showValues(tables), { 'total{a="x"}': 4.5 });
  assert.deepEqual(list(reader.histograms), ['h{"a":"x"} 50 50 6 NaN 0.1,1: 1,2,3']);
  assert.equal(reader.series.ambiguous, 1);
});
