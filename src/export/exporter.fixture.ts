import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { ExporterFactory } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import { createFakeContext, createLogCollector, createMeterReader } from '../component/fakes.js';
import type { Schema } from '../component/schema.js';
import { parseSettings } from '../config/settings.js';
import type { Resource, Series } from '../model/series.js';
import { hwEnergy } from '../model/shared-metrics.js';
import { createRow, type Table } from '../model/table.js';
import { until } from '../testing/until.js';

/** Settings that spare tests from waiting. */
const fast = {
  batch: { flush_timeout: '1ms' },
  retry_on_failure: { initial_interval: '10ms', max_interval: '10ms' },
};

export const start = 1_795_000_000_000_000_001n;
export const host: Resource = { attributes: { 'host.name': 'node-1' } };

/** For tests: an energy counter and the table of its reading at this many seconds after the start. */
export const energy: Series = {
  metric: hwEnergy,
  resource: host,
  attributes: { 'hw.id': 'package-0', 'hw.type': 'cpu' },
  start,
};

export function readingAt(seconds: number, joules: number): Table {
  return createRow([energy], start + BigInt(seconds) * 1_000_000_000n, Float64Array.of(joules));
}

/** Sends three readings: with the first token of a file, with the second one, and without the file. */
export async function sendWithTokens(
  exporter: Consumer,
  file: string,
  { received }: { readonly received: ArrayLike<unknown> },
): Promise<void> {
  const send = (count: number) => {
    exporter.consume(readingAt(count, count));
    return until(() => received.length === count);
  };
  await send(1);
  writeFileSync(file, 'second');
  await send(2);
  rmSync(file);
  await send(3);
}

/** The log message of the third. */
export const keepsToken =
  /^warn: Cannot read credentials\.bearer_token_file ".*token": ENOENT; using the previous one$/;

/** A row of this many counters, with long names and their numbers as values. */
export function rowOf(count: number): Table {
  const series = Array.from({ length: count }, (_, id): Series => ({
    ...energy,
    attributes: { 'hw.id': `${id}`.padStart(100, '0') },
  }));
  return createRow(
    series,
    start + 1n,
    Float64Array.from(series, (_, id) => id),
  );
}

/** For tests: a started exporter, shut down after the test. */
export async function startExporter<S extends Schema>(
  t: TestContext,
  factory: ExporterFactory<S>,
  settings: Record<string, unknown>,
) {
  const log = createLogCollector();
  const { meter, read } = createMeterReader();
  const config = parseSettings(factory.schema, { ...fast, ...settings });
  const exporter = factory.create(config, createFakeContext({ id: 'otlp', log, meter }));
  t.after(() => exporter.shutdown());
  await exporter.start();
  return { exporter, log, read };
}

/** For tests: a port that accepts connections and never answers. */
export async function openSilentPort(t: TestContext): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket)).listen(0, 'localhost');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  // A listening server has such an address.
  return (server.address() as AddressInfo).port;
}
