import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptsGzip, chooseFormat } from './negotiation.js';

test('chooseFormat returns OpenMetrics for the Accept header of Prometheus', () => {
  const prometheus2 =
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  const prometheus3 =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';
  assert.equal(chooseFormat(prometheus2), 'openmetrics');
  assert.equal(chooseFormat(prometheus3), 'openmetrics');
  const protobuf =
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
  assert.equal(chooseFormat(`${protobuf};q=0.7,${prometheus3}`), 'openmetrics');
});

test('chooseFormat returns classic text if it is preferred or nothing is specified', () => {
  const headers = [
    undefined,
    '',
    '*/*',
    'text/html,application/xhtml+xml,*/*;q=0.8',
    'application/json',
    'text/plain;version=0.0.4, application/openmetrics-text;q=0.9',
    'application/openmetrics-text;q=0',
    'application/openmetrics-text;version=2.0.0',
    'application/openmetrics-text;q=nonsense',
    'application/openmetrics-text;version=0.0.1',
    'text/plain;q=0.3, application/openmetrics-text;q=0.1',
  ];
  for (const header of headers) assert.equal(chooseFormat(header), 'classic', header);
});

test('chooseFormat returns OpenMetrics if only that is named, in any case and with quotes', () => {
  assert.equal(chooseFormat('Application/OpenMetrics-Text; Version="1.0.0"; charset=utf-8'), 'openmetrics');
});

test('acceptsGzip reads the quality value', () => {
  assert.equal(acceptsGzip('gzip'), true);
  assert.equal(acceptsGzip('deflate, gzip;q=0.5'), true);
  assert.equal(acceptsGzip('br, zstd, gzip;q=0.5'), true);
  assert.equal(acceptsGzip('GZIP'), true);
  assert.equal(acceptsGzip('*'), true);
  assert.equal(acceptsGzip('gzip;q=0'), false);
  assert.equal(acceptsGzip('gzip;q=0, *'), false);
  assert.equal(acceptsGzip('deflate'), false);
  assert.equal(acceptsGzip(undefined), false);
});
