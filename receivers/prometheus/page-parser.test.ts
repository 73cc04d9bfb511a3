import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runAtOnce } from '../../src/linux/slices.js';
import { createPageReader, showValues } from './page.fixture.js';

const classic = `# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# A comment that says nothing
# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47
something_weird{problem="division by zero"} +Inf
too_early 1 -3982045
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="+Inf",} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320
# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.5"} 4773
rpc_duration_seconds_sum 1.7560473e+07
`;

const classicValues = {
  'msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n"FILE.TXT""}': 1_458_255_915,
  metric_without_timestamp_and_labels: 12.47,
  'something_weird{problem="division by zero"}': NaN,
  'http_request_duration_seconds_bucket{le="0.05"}': 24_054,
  'http_request_duration_seconds_bucket{le="+Inf"}': 144_320,
  http_request_duration_seconds_sum: 53_423,
  http_request_duration_seconds_count: 144_320,
  'rpc_duration_seconds{quantile="0.5"}': 4773,
  rpc_duration_seconds_sum: 17_560_473,
};

for (const chunkBytes of [1, 2, 7, 100, 10_000]) {
  test(`PageParser reads classic text in chunks of ${chunkBytes} bytes, and the page again`, () => {
    const { read } = createPageReader();
    const stamped = {
      'http_requests_total{method="post",code="200"}': 1027,
      'http_requests_total{method="post",code="400"}': 3,
    };
    assert.deepEqual(showValues(read(classic, undefined, chunkBytes)), { ...classicValues, ...stamped });
    // Samples with the same timestamps as on the previous page are not repeated.
    assert.deepEqual(showValues(read(classic, undefined, chunkBytes)), classicValues);
  });
}

test('PageParser keeps the array of series while only values of pages differ', () => {
  const { read } = createPageReader();
  const [one] = read('a 1\nb{x="y"} 2\n');
  const [two] = read('a 3\nb{x="y"} -4.5\n');
  assert.equal(two?.series, one?.series);
  assert.deepEqual([...(two?.values ?? [])], [3, -4.5]);
});

test('PageParser finds series that moved, were inserted, or begin with the text of others', () => {
  const { read } = createPageReader();
  assert.deepEqual(showValues(read('a 1\nab 2\nabc 3\n')), { a: 1, ab: 2, abc: 3 });
  assert.deepEqual(showValues(read('abc 4\na 5\naa 6\nab 7\n')), { a: 5, ab: 7, abc: 4, aa: 6 });
});

test('PageParser ends series that have disappeared, and starts new ones when they reappear', () => {
  const { read } = createPageReader();
  const [first] = read('a 1\nb 2\nc 3\n');
  const [ending, second] = read('a 1\nc 3\n');
  assert.deepEqual(ending?.ended, [first?.series[1]]);
  assert.deepEqual(showValues(second ? [second] : []), { a: 1, c: 3 });
  const [third] = read('a 1\nb 4\nc 3\n');
  const again = third?.series.find(({ metric }) => metric.name === 'b');
  assert.ok(again);
  assert.notEqual(again, first?.series[1]);
  assert.deepEqual(showValues(third ? [third] : []), { a: 1, b: 4, c: 3 });
});

test('PageParser removes many series in steps, and arranges many in steps', () => {
  const { read, parser, series } = createPageReader();
  const many = Array.from({ length: 10_000 }, (_, i) => `a{i="${i}"} ${i}\n`).join('');
  read(many, 1, 10_000);
  runAtOnce(parser.begin('classic'));
  parser.feed(Buffer.from('a{i="7"} 7\n'));
  let steps = 0;
  for (const ending = parser.finish(); ending.next().done !== true;) steps += 1;
  assert.ok(steps >= 50, `${steps} steps`);
  assert.equal(series.described, 1);
  const [table, ...others] = read(many, 3, 10_000).filter((one) => one.values.length > 0);
  assert.deepEqual([table?.values.length, others.length], [10_000, 0]);
  runAtOnce(parser.begin('classic'));
  parser.feed(Buffer.from(`${many}b 1\n`));
  runAtOnce(parser.finish());
  steps = 0;
  const page = { at: 4_000_000_000n, values: parser.values, stamps: undefined, stampUnitMs: 1 };
  for (const preparing = series.prepare(page); preparing.next().done !== true;) steps += 1;
  assert.ok(steps >= 6, `${steps} steps`);
});

test('PageParser takes the first sample of a series, and counts the others', () => {
  const { read, parser } = createPageReader();
  assert.deepEqual(showValues(read('a{x="1"} 1\na{x="1"} 2\nb 3\n')), { 'a{x="1"}': 1, b: 3 });
  assert.deepEqual([parser.samples, parser.duplicates], [2, 1]);
  const { read: readOther, series } = createPageReader();
  // The same series in another notation.
  assert.deepEqual(showValues(readOther('a{x="1",y="2"} 1\na{y="2",x="1"} 2\n')), { 'a{x="1",y="2"}': 1 });
  assert.equal(series.ambiguous, 1);
});

test('PageParser reads UTF-8 names', () => {
  const { read } = createPageReader();
  const text = '{"my.näme","läbel.x"="1",y="2"} 1\n{"only.name"} 2\n{y="3","late.name"} 3\n';
  const values = { 'my.näme{läbel.x="1",y="2"}': 1, 'only.name': 2, 'late.name{y="3"}': 3 };
  assert.deepEqual(showValues(read(text)), values);
  assert.deepEqual(showValues(read(text, undefined, 1)), values);
});

test('PageParser omits labels without a value, and accepts spaces and commas where they are allowed', () => {
  const { read } = createPageReader();
  assert.deepEqual(showValues(read('a { x = "" , y="}" ,} 1\nb{}2\n\tc\t3\t\nd 4')), {
    'a{y="}"}': 1,
    b: 2,
    c: 3,
    d: 4,
  });
});

for (const [text, reason] of [
  ['a\n', /line 1: expected a series and its value, found "a"/u],
  ['b 1\na{x="1\n', /line 2: expected a series and its value/u],
  ['a{x=1} 2\n', /expected a value in double quotes, found "1\}/u],
  ['a{x="1" y="2"} 2\n', /expected "," or "\}", found "y/u],
  ['a{x="1",x="2"} 2\n', /expected the label "x" once/u],
  ['a{1x="1"} 2\n', /expected the name of a label, found "1x/u],
  ['{x="1"} 2\n', /expected the name of a metric/u],
  ['9a 2\n', /expected the name of a metric/u],
  ['a x\n', /expected a number, found "x"/u],
  ['a 1 2 3\n', /expected the end of the line, found "3"/u],
  ['<html>\n', /expected a series and its value, found "<html>"/u],
] as const) {
  test(`PageParser rejects ${JSON.stringify(text)}, and reads the next page`, () => {
    const { read } = createPageReader();
    assert.throws(() => read(text), reason);
    assert.deepEqual(showValues(read('good 1\n')), { good: 1 });
  });
}

const openMetrics = `# TYPE acme_http_router_request_seconds summary
# UNIT acme_http_router_request_seconds seconds
# HELP acme_http_router_request_seconds Latency though all of ACME's HTTP request router.
acme_http_router_request_seconds_sum{path="/api/v1",method="GET"} 9036.32
acme_http_router_request_seconds_count{path="/api/v1",method="GET"} 807283.0
acme_http_router_request_seconds_created{path="/api/v1",method="GET"} 1605281325.0
# TYPE process_cpu_seconds counter
# UNIT process_cpu_seconds seconds
process_cpu_seconds_total 4.20072246e+06 # {trace_id="KOO5S4vxi0o"} 0.67 1605301325.0
# TYPE go_goroutines gauge
go_goroutines 69 1700000000.25
# EOF
`;

test('PageParser reads OpenMetrics with exemplars, timestamps and starts', () => {
  const { read } = createPageReader('openmetrics');
  const tables = read(openMetrics);
  assert.deepEqual(showValues(tables), {
    'acme_http_router_request_seconds_sum{path="/api/v1",method="GET"}': 9036.32,
    'acme_http_router_request_seconds_count{path="/api/v1",method="GET"}': 807_283,
    process_cpu_seconds_total: 4_200_722.46,
    go_goroutines: 69,
  });
  const series = tables.flatMap((table) => table.series);
  assert.deepEqual(
    series.map(({ metric: { kind, unit, description } }) => [kind, unit, description.slice(0, 7)]),
    [
      ['counter', 's', 'Latency'],
      ['counter', 's', 'Latency'],
      ['counter', 's', ''],
      ['gauge', '', ''],
    ],
  );
  assert.equal(series[0]?.start, 1_605_281_325_000_000_000n);
  assert.equal(tables.at(-1)?.epoch, 1_700_000_000_250_000_000n);
});

test('PageParser rejects OpenMetrics without its end, or with something behind it', () => {
  const { read } = createPageReader('openmetrics');
  assert.throws(() => read('# TYPE a gauge\na 1\n'), /expected "# EOF" in the last line, found none/u);
  assert.throws(() => read('a 1\n# EOF\nb 1\n'), /line 3: expected nothing after "# EOF", found "b 1"/u);
  assert.deepEqual(showValues(read('a 1\n# EOF')), { a: 1 });
});
