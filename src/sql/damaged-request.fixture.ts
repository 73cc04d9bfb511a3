import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ExporterFactory } from '../component/component.js';
import { createFakeContext, createLogCollector, createMeterReader } from '../component/fakes.js';
import type { Schema } from '../component/schema.js';
import { parseSettings } from '../config/settings.js';
import { energy } from '../export/exporter.fixture.js';
import { MemoryStorage } from '../export/memory-storage.js';
import { until } from '../testing/until.js';
import { encodeSeries } from './series-record.js';
import { buildRequest } from './sql-request.js';

/** A request of one point, whose series has lost the end of its text. */
function createDamaged() {
  const { id, text } = encodeSeries(energy);
  const bytes = buildRequest({
    points: 1,
    ends: 0,
    times: BigInt64Array.of(1n),
    values: Float64Array.of(1),
    indexes: Uint32Array.of(0),
    series: [{ id, text: text.subarray(0, -1) }],
  });
  return { bytes, points: 1 };
}

const nothing = () => {};

/**
 * For tests: checks that a database exporter drops a damaged request immediately, counts it, and sends the
 * following ones.
 */
export async function checkDamagedRequest<S extends Schema>(
  t: TestContext,
  factory: ExporterFactory<S>,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  const storage = Object.assign(new MemoryStorage(), { isLasting: true });
  storage.append(createDamaged());
  const log = createLogCollector();
  const { meter, read } = createMeterReader();
  const config = parseSettings(factory.schema, { ...settings, sending_queue: { storage: 'disk' } });
  const exporter = factory.create(config, {
    ...createFakeContext({ id: 'db', log, meter }),
    findStorage: () => ({ start: nothing, shutdown: nothing, openQueue: () => Promise.resolve(storage) }),
  });
  t.after(() => exporter.shutdown());
  await exporter.start();
  await until(() => log.lines.some((line) => line.startsWith('error')));
  await until(() => exporter.readBacklog?.() === 0);
  assert.match(log.lines.join('\n'), /expected a series in JSON, found \["hw\.energy"/u);
  assert.equal((await read())['joulemetry.exporter.dropped{db,rejected}'], 1);
}
