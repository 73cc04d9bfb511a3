import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { ReceiverFactory } from '../component/component.js';
import { createMeterReader } from '../component/fakes.js';
import type { Schema } from '../component/schema.js';
import { checkLiveFault } from '../scraping/live-faults.fixture.js';
import { startReceiver } from '../scraping/running-receiver.fixture.js';

/** A receiver that reads HTTP servers, and the servers of a test. */
export interface FaultyServers<S extends Schema> {
  readonly factory: ReceiverFactory<S>;
  /** @param addresses of the failing server and of the other one, `http://127.0.0.1:1234` */
  settings(addresses: readonly [string, string]): object;
  /** Answers as a healthy device with constant values; its index is 0 or 1. */
  answer(index: number): RequestListener;
  /** Whether a series comes from the failing server, by `nameSeries`; @param host its host and port */
  isSubject(name: string, host: string): boolean;
  /** Series of the receiver itself that vary over time, by `nameSeries`. */
  readonly ignored?: RegExp;
  /** Logged causes that differ from those of the fault. */
  readonly problems?: Readonly<Partial<Record<ServerFaultName, RegExp>>>;
}

/**
 * Settings of a receiver with an entry of `endpoints` for each server. @param extra further settings, or other
 * intervals
 */
export function createEndpointSettings(extra: object = {}): FaultyServers<Schema>['settings'] {
  return (addresses) => ({
    collection_interval: '100ms',
    timeout: '300ms',
    endpoints: addresses.map((endpoint) => ({ endpoint })),
    ...extra,
  });
}

const faults = {
  truncated: /aborted|reset|hang up|end/u,
  empty: /expected .*found/u,
  garbage: /expected .*found/u,
  vanishing: /ECONNREFUSED/u,
  slow: /expected an answer within \d+ ms, found none/u,
  'no permission': /HTTP 403/u,
  reset: /ECONNRESET|hang up/u,
} as const;

export type ServerFaultName = keyof typeof faults;

/** A server that answers as a healthy one, or fails in a given way. */
class FaultyServer {
  fault: ServerFaultName | undefined;
  readonly #answer: RequestListener;
  #server: Server | undefined;
  #port = 0;

  constructor(answer: RequestListener) {
    this.#answer = answer;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async open(): Promise<void> {
    const server = createServer((request, response) => this.#reply(request, response));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port; // the address of a TCP server
    this.#server = server;
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  #reply: RequestListener = (request, response) => {
    switch (this.fault) {
      case 'truncated': {
        // Half of the announced length.
        response.writeHead(200, { 'Content-Length': 1000, 'Content-Type': 'text/plain' });
        response.write('x'.repeat(500), () => response.destroy());
        return;
      }
      case 'empty':
        return void response.end();
      case 'garbage':
        return void response.end(Buffer.from('\0\x80<html>\xff;-\n', 'latin1'));
      case 'slow':
        return;
      case 'no permission':
        return void response.writeHead(403).end();
      case 'reset':
        return void request.socket.resetAndDestroy();
      case 'vanishing':
      case undefined:
        return this.#answer(request, response);
    }
  };
}

/** Tests a receiver with each fault of a server: it continues to read, and the other servers are not affected. */
export function testServerFaults<S extends Schema>(what: string, servers: FaultyServers<S>): void {
  for (const name of Object.keys(faults) as ServerFaultName[])
    // the keys of the object above
    test(`${what} withstand a server with the fault "${name}"`, (t) => checkServerFault(t, servers, name));
}

async function checkServerFault<S extends Schema>(
  t: TestContext,
  servers: FaultyServers<S>,
  name: ServerFaultName,
): Promise<void> {
  const both = [0, 1].map((index) => new FaultyServer(servers.answer(index)));
  const [server, other] = both as [FaultyServer, FaultyServer]; // as many as there are indices
  for (const one of both) {
    await one.open();
    t.after(() => one.close());
  }
  const meter = createMeterReader();
  const settings = servers.settings([`http://${server.host}`, `http://${other.host}`]);
  const running = await startReceiver(t, servers.factory, settings, { meter: meter.meter });
  const rig = {
    running: [running],
    meter,
    isSubject: (one: string) => servers.isSubject(one, server.host),
    ...(servers.ignored !== undefined && { ignored: servers.ignored }),
  };
  await checkLiveFault(rig, {
    problems: [servers.problems?.[name] ?? faults[name]],
    begin() {
      if (name === 'vanishing') server.close();
      server.fault = name;
    },
    async end() {
      server.fault = undefined;
      if (name === 'vanishing') await server.open();
    },
  });
}
