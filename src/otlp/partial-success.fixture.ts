import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schema } from '../component/schema.js';
import { readingAt, startExporter } from '../export/exporter.fixture.js';
import type { Transport } from '../export/shared-cases.fixture.js';
import { MessageWriter } from './wire.js';

/** For tests: how every OTLP exporter handles points that a backend accepted and then rejected. */
export function testPartialSuccess<S extends Schema>({
  name,
  factory,
  open,
  settingsFor,
}: Transport<S>): void {
  test(`${name} counts the rejected points of a partial success`, async (t) => {
    const writer = new MessageWriter();
    const partial = writer.begin(1);
    const body = writer.integer(1, 1).text(2, 'out of bounds').end(partial).finish();
    const { port } = await open(t, { answer: () => ({ body }) });
    const { exporter, log, read } = await startExporter(t, factory, settingsFor(`localhost:${port}`));
    exporter.consume(readingAt(1, 1));
    exporter.consume(readingAt(2, 2));
    await exporter.shutdown();
    const metrics = await read();
    assert.equal(metrics['otelcol_exporter_sent_metric_points{otlp}'], 1);
    assert.equal(metrics['joulemetry.exporter.dropped{otlp,partial_success}'], 1);
    assert.match(log.lines.join('\n'), /Lost 1 points .* taken without them: out of bounds/);
  });
}
