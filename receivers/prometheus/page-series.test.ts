import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runAtOnce } from '../../src/linux/slices.js';
import { checkTables } from '../../src/model/check-tables.js';
import type { Table } from '../../src/model/table.js';
import { createPageReader, showValues } from './page.fixture.js';

const second = 1_000_000_000n;
const counter = '# TYPE c counter\n';

/** Start and value of the only series of the last table. */
function read(tables: readonly Table[]) {
  const { series, values } = tables.at(-1) ?? { series: [], values: [] };
  return [Number((series[0]?.start ?? 0n) / second), values[0]];
}

test('PageSeries starts a counter at its first scrape with its value there, as the Collector does', () => {
  const reader = createPageReader();
  assert.deepEqual(read(reader.read(`${counter}c 100\n`, 50)), [50, 100]);
  assert.deepEqual(read(reader.read(`${counter}c 103\n`, 60)), [50, 103]);
});

test('PageSeries starts a new series at the last scrape when a counter decreases', () => {
  const reader = createPageReader();
  const [before] = reader.read(`${counter}c 100\n`, 50);
  const [ending, after] = reader.read(`${counter}c 4\n`, 60);
  assert.deepEqual(ending?.ended, before?.series);
  assert.deepEqual(read(after ? [after] : []), [50, 4]);
  assert.deepEqual(read(reader.read(`${counter}c 5\n`, 70)), [50, 5]);
});

test('PageSeries compares a counter with the value before a gap', () => {
  const reader = createPageReader();
  reader.read(`${counter}c 100\n`, 50);
  assert.deepEqual(read(reader.read(`${counter}c NaN\n`, 60)), [50, NaN]);
  assert.deepEqual(read(reader.read(`${counter}c 99\n`, 70)), [60, 99]);
});

test('PageSeries has a gap for infinite values, which reset no counter', () => {
  const reader = createPageReader();
  const tables = ['1', '+Inf', '2', '-Inf', '3'].flatMap((value) =>
    reader.read(`${counter}c ${value}\ng ${value}\n`),
  );
  checkTables(tables);
  assert.deepEqual(
    tables.flatMap(({ values }) => Array.from(values)),
    [1, 1, NaN, NaN, 2, 2, NaN, NaN, 3, 3],
  );
});

test('PageSeries does not treat the decrease of a gauge as a reset', () => {
  const reader = createPageReader();
  const [before] = reader.read('# TYPE g gauge\ng 5\n');
  const [after] = reader.read('# TYPE g gauge\ng 4\n');
  assert.equal(after?.series, before?.series);
});

function createPage(value: number, created: number): string {
  return `# TYPE c counter\nc_total{a="1"} ${value}\nc_created{a="1"} ${created}\n# EOF\n`;
}

test('PageSeries uses the start of a counter from the page', () => {
  const reader = createPageReader('openmetrics');
  assert.deepEqual(read(reader.read(createPage(7, 12.5), 50)), [12, 7]);
  // A reset is also detected by the start, even if the counter is above its previous value.
  const [ending, after] = reader.read(createPage(8, 55), 60);
  assert.equal(ending?.ended?.length, 1);
  assert.deepEqual(read(after ? [after] : []), [55, 8]);
});

test('PageSeries never starts a counter after its first value when the clock of the target is ahead', () => {
  const reader = createPageReader('openmetrics');
  assert.deepEqual(read(reader.read(createPage(7, 99), 50)), [50, 7]);
});

test('PageSeries starts counters with their process only if configured', () => {
  const text = `${counter}c 7\n# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 20\n`;
  const started = createPageReader('classic', { usesProcessStart: true });
  assert.deepEqual(read(started.read(text, 50)), [20, 7]);
  assert.deepEqual(read(createPageReader().read(text, 50)), [50, 7]);
  const restarted = started.read(text.replace('seconds 20', 'seconds 55'), 60);
  assert.deepEqual(read(restarted), [55, 7]);
});

function bound(le: string): string {
  return `{le="${le}",a="1"}`;
}

test('PageSeries gives all series of a histogram the start of the histogram', () => {
  const reader = createPageReader('openmetrics');
  const tables = reader.read(
    `# TYPE h histogram\nh_bucket${bound('1')} 1\nh_bucket${bound('+Inf')} 2\nh_sum{a="1"} 3\nh_count{a="1"} 2\nh_created{a="1"} 40\n# EOF\n`,
    50,
  );
  assert.deepEqual(
    tables
      .flatMap(({ series }) => series)
      .map(({ metric: { name, kind }, start }) => [name, kind, start / second]),
    [
      ['h_bucket', 'counter', 40n],
      ['h_bucket', 'counter', 40n],
      ['h_sum', 'counter', 40n],
      ['h_count', 'counter', 40n],
    ],
  );
});

test('PageSeries reads samples by the type of their family', () => {
  const reader = createPageReader('openmetrics');
  const families = [
    '# TYPE s summary\ns{quantile="0.5"} 1\ns_sum 2\ns_count 3\n',
    '# TYPE gh gaugehistogram\ngh_bucket{le="+Inf"} 1\ngh_gsum 2\ngh_gcount 3\n',
    '# TYPE build info\nbuild_info{version="1"} 1\n',
    '# TYPE mode stateset\nmode{mode="on"} 1\n',
    '# TYPE u unknown\nu 1\nnone 2\nnone_total 3\n',
  ];
  const tables = reader.read(`${families.join('')}# EOF\n`);
  const kinds = tables.flatMap(({ series }) => series).map(({ metric: { name, kind } }) => [name, kind]);
  assert.deepEqual(Object.fromEntries(kinds), {
    s: 'gauge',
    s_sum: 'counter',
    s_count: 'counter',
    gh_bucket: 'gauge',
    gh_gsum: 'gauge',
    gh_gcount: 'gauge',
    build_info: 'updowncounter',
    mode: 'updowncounter',
    u: 'gauge',
    none: 'gauge',
    none_total: 'gauge',
  });
});

test('PageSeries requests that everything is read again when the type of a metric changes', () => {
  const { read: readPage, series, parser } = createPageReader();
  readPage('# TYPE c gauge\nc 1\n');
  assert.equal(series.isOutdated, false);
  readPage(`${counter}c 1\n`);
  assert.equal(series.isOutdated, true);
  runAtOnce(parser.forget());
  series.forgetFamilies();
  const tables = readPage(`${counter}c 1\n`);
  assert.equal(tables.at(-1)?.series[0]?.metric.kind, 'counter');
});

test('PageSeries makes target_info a part of the resource, wherever it is and also when it changes', () => {
  const { read: readPage } = createPageReader();
  const [table] = readPage('a 1\ntarget_info{host_name="n1",job="x"} 1\n');
  assert.deepEqual(showValues(table ? [table] : []), { a: 1 });
  assert.deepEqual(table?.series[0]?.resource.attributes, {
    'service.name': 'test',
    'service.instance.id': 'node1:9100',
    'server.address': 'node1',
    'server.port': '9100',
    'url.scheme': 'http',
    host_name: 'n1',
  });
  const [ending, changed] = readPage('a 2\ntarget_info{host_name="n2"} 1\n');
  assert.deepEqual(ending?.ended, table?.series);
  assert.equal(changed?.series[0]?.resource.attributes['host_name'], 'n2');
  const [, gone] = readPage('a 2\n');
  assert.equal(gone?.series[0]?.resource.attributes['host_name'], undefined);
});

test('PageSeries keeps labels of the target, and those of a sample as exported_ or, if honored, instead of them', () => {
  const target = new Map([
    ['job', 'test'],
    ['instance', 'node1:9100'],
    ['rack', 'r1'],
  ]);
  const text = 'a{job="own",instance="i",rack="x",y="1"} 1\n';
  const [plain] = createPageReader('classic', { target }).read(text);
  assert.deepEqual(plain?.series[0]?.attributes, {
    exported_job: 'own',
    exported_instance: 'i',
    exported_rack: 'x',
    rack: 'r1',
    y: '1',
  });
  const [honored] = createPageReader('classic', { target, honorsLabels: true }).read(text);
  assert.deepEqual(honored?.series[0]?.attributes, { rack: 'x', y: '1' });
  assert.equal(honored?.series[0]?.resource.attributes['service.name'], 'own');
});

test('PageSeries ends every series when it is restarted, and continues counting with new ones', () => {
  const reader = createPageReader();
  const [before] = reader.read(`${counter}c 100\n`, 50);
  const [ending] = reader.series.restart(55n);
  assert.deepEqual(ending?.ended, before?.series);
  assert.deepEqual(read(reader.read(`${counter}c 103\n`, 60)), [60, 103]);
});

test('PageSeries creates a row for each timestamp of the page, and rejects those in the future', () => {
  const { read: readPage } = createPageReader();
  const tables = readPage('a 1 1000\nb 2 500\nc 3\nd 4 1000\ne 5 9999999\n', 2);
  assert.deepEqual(
    tables.map(({ epoch, series, values }) => [
      epoch,
      series.map(({ metric }) => metric.name),
      Array.from(values),
    ]),
    [
      [500_000_000n, ['b'], [2]],
      [1_000_000_000n, ['a', 'd'], [1, 4]],
      [2_000_000_000n, ['c'], [3]],
    ],
  );
});
