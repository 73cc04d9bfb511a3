import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../config/settings.js';
import { createFakeContext, createLogCollector } from '../contract/fakes.js';
import { createMeterReader } from './sending-queue.fixture.js';
import { readingAt } from '../otlp/exporter.fixture.js';
import { OtlpExporter } from './queued-exporter.js';
import { otlpSettings } from '../otlp/otlp-settings.js';

test('OtlpExporter drops and counts what its backend does not take in the time that a shutdown has', async () => {
  const log = createLogCollector();
  const { meter, read } = createMeterReader();
  const config = parseSettings(otlpSettings, {});
  const sender = { target: 'http://backend', send: () => new Promise<never>(() => {}), close() {} };
  const context = createFakeContext({ id: 'otlp', log, meter });
  const exporter = new OtlpExporter(config, context, () => Promise.resolve(sender));
  await exporter.start();
  exporter.consume(readingAt(1, 5));
  await exporter.shutdown(10);
  assert.equal((await read())['joulemetry.exporter.dropped{otlp,shutdown}'], 1);
  assert.match(log.lines.at(-1) ?? '', /Lost 1 points for http:\/\/backend/);
});
