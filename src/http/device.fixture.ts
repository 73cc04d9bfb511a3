import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Component, ReceiverContext, ReceiverFactory } from '../component/component.js';
import {
  createFakeContext,
  createLogCollector,
  createTableCollector,
  type LogCollector,
  type TableCollector,
} from '../component/fakes.js';
import type { Schema } from '../component/schema.js';
import { parseSettings } from '../config/settings.js';
import { checkTables } from '../model/check-tables.js';
import type { CertificateFiles } from './certificate.fixture.js';

/** For tests: a server on 127.0.0.1, closed after the test. @returns its address */
export async function serve(
  t: TestContext,
  answer: RequestListener,
  tls?: CertificateFiles,
): Promise<string> {
  const server = tls
    ? createTlsServer({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) }, answer)
    : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // a TCP server has one
  return tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
}

/** A receiver that runs. */
export interface RunningReceiver {
  readonly receiver: Component;
  readonly log: LogCollector;
  readonly collector: TableCollector;
  /** The last values of a metric, by `hw.id`. */
  last(metric: string): Readonly<Record<string, number>>;
}

/** For tests: starts a receiver; it is shut down after the test, and its tables are checked. */
export async function startReceiver<S extends Schema>(
  t: TestContext,
  factory: ReceiverFactory<S>,
  settings: unknown,
  overrides: Partial<ReceiverContext> = {},
): Promise<RunningReceiver> {
  const log = createLogCollector();
  const collector = createTableCollector();
  const context = createFakeContext({ log, ...overrides });
  const receiver = factory.create(parseSettings(factory.schema, settings), context, collector);
  t.after(async () => {
    await receiver.shutdown();
    checkTables(collector.tables);
  });
  await receiver.start();
  const last = (metric: string) =>
    Object.fromEntries(
      collector.last(metric).map(({ series, value }) => [String(series.attributes['hw.id']), value]),
    );
  return { receiver, log, collector, last };
}
