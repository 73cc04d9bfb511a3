import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { until } from '../../src/testing/until.js';
import { scrape, serve } from './exporter.fixture.js';

const page = 'a 1\n';
const text = { 'Content-Type': 'text/plain' };
/** Longer than any response of a server on this machine takes. */
const patient = { scrape_interval: '100s', scrape_timeout: '100s' };

for (const [what, status, headers, body, job, reason] of [
  ['asks for a password', 401, {}, '', {}, /found 401 Unauthorized; write basic_auth/u],
  [
    'has no Content-Type',
    200,
    {},
    page,
    {},
    /expected the Content-Type .* found none; .* fallback_scrape_protocol/u,
  ],
  ['serves HTML', 200, { 'Content-Type': 'text/html' }, page, {}, /found "text\/html"/u],
  [
    'sends truncated gzip',
    200,
    { ...text, 'Content-Encoding': 'gzip' },
    gzipSync(page.repeat(9)).subarray(0, 15),
    {},
    /unexpected end of file/u,
  ],
  [
    'sends what is no gzip',
    200,
    { ...text, 'Content-Encoding': 'gzip' },
    page,
    {},
    /incorrect header check/u,
  ],
  [
    'compresses otherwise',
    200,
    { ...text, 'Content-Encoding': 'br' },
    page,
    {},
    /expected a page compressed with gzip, found br/u,
  ],
  ['sends less than it announced', 200, { ...text, 'Content-Length': '99' }, page, {}, /aborted/u],
  ['sends garbage', 200, text, 'a b c\n', {}, /line 1: expected a number, found "b"/u],
  [
    'sends OpenMetrics without end',
    200,
    { 'Content-Type': 'application/openmetrics-text' },
    page,
    {},
    /expected "# EOF"/u,
  ],
  [
    'closes the connection within a line',
    200,
    { ...text, Connection: 'close' },
    'a 1\nb 1234',
    {},
    /expected a line end, found the end of the connection after "b 1234"/u,
  ],
  [
    'sends protobuf, with native histograms',
    200,
    { 'Content-Type': 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily' },
    page,
    { fallback_scrape_protocol: 'PrometheusText0.0.4' },
    /expected text, as requested, found the Content-Type application\/vnd\.google\.protobuf/u,
  ],
  [
    'has no line ends',
    200,
    text,
    'a'.repeat(2 ** 20 + 1),
    {},
    /Cannot parse line 1: expected at most 1048576 bytes, found more/u,
  ],
  ['leads in a circle', 302, { Location: '/metrics' }, '', {}, /expected at most 10 redirects/u],
  [
    'leads away',
    302,
    { Location: '/x' },
    '',
    { follow_redirects: false },
    /expected HTTP status 200, found 302/u,
  ],
  [
    'has too much',
    200,
    text,
    page.repeat(99),
    { body_size_limit: 100 },
    /at most 100 bytes, found more; raise body_size_limit/u,
  ],
  [
    'has too many samples',
    200,
    text,
    'a 1\nb 2\n',
    { sample_limit: 1 },
    /at most 1 samples, found 2; raise sample_limit/u,
  ],
  ['has too many labels', 200, text, 'a{b="1"} 1\n', { label_limit: 2 }, /at most 2 labels, found 4/u],
  [
    'has too long a value',
    200,
    text,
    'a{b="123456789012345678901234567890"} 1\n',
    { label_value_length_limit: 29 },
    /found 30 in "b"/u,
  ],
] as const) {
  test(`the receiver reports why it reads nothing of a target that ${what}`, async (t) => {
    const host = await serve(t, (_, response) => {
      // The connection ends the answer, as that of many simple servers.
      if ('Connection' in headers) response.useChunkedEncodingByDefault = false;
      response.writeHead(status, headers);
      response.write(body);
      if ('Content-Length' in headers) setImmediate(() => response.destroy());
      else response.end();
    });
    const { log, valuesOf } = await scrape(t, [
      { static_configs: [{ targets: [host] }], ...patient, ...job },
    ]);
    await until(() => valuesOf('up').length > 0);
    assert.deepEqual(valuesOf('up'), [0]);
    assert.deepEqual(valuesOf('a'), []);
    assert.match(String(log.lines), reason);
  });
}
