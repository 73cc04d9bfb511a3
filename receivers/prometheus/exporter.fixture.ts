import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { ReceiverContext } from '../../src/component/component.js';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { schema } from './config.js';
import { factory } from './factory.js';

/** For tests: starts a server with the responses of a test. @returns its host and port */
export async function serve(t: TestContext, answer: RequestListener, tls?: ServerOptions): Promise<string> {
  const server = tls ? createTlsServer(tls, answer) : createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  // The address of a TCP server is an object.
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** For tests: an exporter with a page in classic text. */
export function servePage(t: TestContext, page: () => string): Promise<string> {
  return serve(t, (_, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end(page());
  });
}

/** For tests: a started receiver of these jobs. */
export async function scrape(
  t: TestContext,
  jobs: readonly object[],
  overrides: Partial<ReceiverContext> = {},
) {
  const next = createTableCollector();
  const log = createLogCollector();
  const config = parseSettings(schema, {
    config: {
      scrape_configs: jobs.map((job, i) => ({
        job_name: `job${i}`,
        scrape_interval: '1s',
        scrape_timeout: '1s',
        ...job,
      })),
    },
  });
  const receiver = factory.create(config, createFakeContext({ log, ...overrides }), next);
  await receiver.start();
  t.after(() => receiver.shutdown(0));
  const valuesOf = (name: string) => next.last(name).map(({ value }) => value);
  return { next, log, receiver, valuesOf };
}
