import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { ReceiverFactory } from '../component/component.js';
import { createMeterReader } from '../component/fakes.js';
import type { Schema } from '../component/schema.js';
import type { Series } from '../model/series.js';
import { nameSeries } from '../scraping/reader-faults.fixture.js';
import { startReceiver, type RunningReceiver } from '../scraping/running-receiver.fixture.js';
import { until } from '../testing/until.js';

/** A receiver that asks HTTP servers, and the servers of a test. */
export interface FaultyServers<S extends Schema> {
  readonly factory: ReceiverFactory<S>;
  /** @param addresses of the server that fails and of the other one, `http://127.0.0.1:1234` */
  settings(addresses: readonly [string, string]): object;
  /** Answers as a healthy device that stands still; its index is 0 or 1. */
  answer(index: number): RequestListener;
  /** What comes from the server that fails, by `nameSeries`; @param host its host and port */
  isSubject(name: string, host: string): boolean;
  /** What is of the receiver's own and differs from time to time, by `nameSeries`. */
  readonly ignored?: RegExp;
  /** Another cause than that of the fault. */
  readonly problems?: Readonly<Partial<Record<ServerFaultName, RegExp>>>;
}

/** Settings of a receiver with an entry of `endpoints` for each server. @param extra besides them, or other intervals */
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

/** A server that answers as a healthy one, or fails in one way. */
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
    this.#port = (server.address() as AddressInfo).port; // a TCP server has one
    this.#server = server;
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  #reply: RequestListener = (request, response) => {
    switch (this.fault) {
      case 'truncated': {
        // Half of what it has announced.
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

/** Tests of a receiver with each fault of a server: it goes on, with the others too. */
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
  const isSubject = (series: Series): boolean => servers.isSubject(nameSeries(series), server.host);
  const course = new Course(running, isSubject, servers.ignored);
  await until(() => course.count(true) >= 2 && course.count(false) >= 2);
  const before = course.values();
  const beforeErrored = await countErrored(meter);
  const [rows, lines] = [course.count(false), running.log.lines.length];
  if (name === 'vanishing') server.close();
  server.fault = name;
  await until(async () => (await countErrored(meter)) >= beforeErrored + 3);
  await until(() => course.count(false) >= rows + 3);
  const problems = running.log.lines.slice(lines).filter((line) => !line.startsWith('info'));
  assert.equal(problems.length, 1, JSON.stringify(problems));
  assert.match(problems[0] ?? '', servers.problems?.[name] ?? faults[name]);
  for (const [key, value] of course.values())
    assert.equal(Number.isNaN(value), servers.isSubject(key, server.host), `${key} is ${value}`);
  server.fault = undefined;
  if (name === 'vanishing') await server.open();
  const failed = course.count(true);
  await until(() => course.count(true) >= failed + 2);
  assert.deepEqual(course.values(), before, 'nothing has changed at the devices');
}

async function countErrored(meter: ReturnType<typeof createMeterReader>): Promise<number> {
  const entries = Object.entries(await meter.read()).filter(([name]) => name.includes('errored'));
  return entries.reduce((sum, [, count]) => sum + count, 0);
}

/** What a receiver has published until now. */
class Course {
  readonly #running: RunningReceiver;
  readonly #isSubject: (series: Series) => boolean;
  readonly #ignored: RegExp | undefined;

  constructor(running: RunningReceiver, isSubject: (series: Series) => boolean, ignored?: RegExp) {
    this.#running = running;
    this.#isSubject = isSubject;
    this.#ignored = ignored;
  }

  /** How many rows with values there were of the server that fails, or of the other one. */
  count(ofSubject: boolean): number {
    const { tables } = this.#running.collector;
    return tables.filter(
      ({ series, values }) =>
        series[0] !== undefined &&
        this.#isSubject(series[0]) === ofSubject &&
        values.some((value) => Number.isFinite(value)),
    ).length;
  }

  /** The last value of each series. */
  values(): ReadonlyMap<string, number> {
    const values = new Map<string, number>();
    for (const { series, values: cells } of this.#running.collector.tables)
      cells.forEach((value, cell) => {
        const one = series[cell % series.length];
        const name = one === undefined ? '' : nameSeries(one);
        if (name !== '' && this.#ignored?.test(name) !== true) values.set(name, value);
      });
    return values;
  }
}
