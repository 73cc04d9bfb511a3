import type { TestContext } from 'node:test';
import type { ReceiverContext } from '../../src/component/component.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { factory } from './factory.js';
import { listTables } from './request.fixture.js';

export type StartedReceiver = Awaited<ReturnType<typeof startReceiver>>;

/** For tests: starts a receiver with both protocols, and returns its addresses. */
export async function startReceiver(t: TestContext, overrides: Partial<ReceiverContext> = {}) {
  const log = createLogCollector();
  const collector = createTableCollector();
  const config = parseSettings(factory.schema, {
    protocols: { grpc: { endpoint: 'localhost:0' }, http: { endpoint: 'localhost:0' } },
  });
  const receiver = factory.create(config, createFakeContext({ id: 'otlp', log, ...overrides }), collector);
  t.after(() => receiver.shutdown());
  await receiver.start();
  const [grpc = '', http = ''] = log.lines.map((line) => /http:\/\/\S+/u.exec(line)?.[0] ?? '');
  /** Returns what has arrived since the last call. */
  const list = () => listTables(collector.tables.splice(0));
  return { receiver, collector, log, grpc, http, list };
}
