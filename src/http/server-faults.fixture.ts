import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { ReceiverFactory } from '../component/component.js';
import { createMeterReader } from '../component/fakes.js';
import type { Schema } from '../component/schema.js';
import { checkLiveFault, checkLiveReset, type LiveRig } from '../scraping/live-faults.fixture.js';
import { startReceiver } from '../scraping/running-receiver.fixture.js';
import {
  createCertificate,
  noOpenssl,
  readServerOptions,
  type CertificateFiles,
} from './certificate.fixture.js';

/** A device that a server simulates. */
export interface SimulatedDevice {
  /** 0: the one that fails; 1: the other one. */
  readonly index: number;
  /** Whether its counters were reset: they have counted less than before, and no receiver publishes that. */
  isReset: boolean;
}

/** A receiver that reads HTTP servers, and the servers of a test. */
export interface FaultyServers<S extends Schema> {
  readonly factory: ReceiverFactory<S>;
  /**
   * @param addresses of the failing server and of the other one, `http://127.0.0.1:1234`
   * @param caFile certificates to trust, where the addresses begin with `https:`
   */
  settings(addresses: readonly [string, string], caFile?: string): object;
  /** Answers as a healthy device with constant values. */
  answer(device: SimulatedDevice): RequestListener;
  /** Whether a series comes from the failing server, by `nameSeries`; @param host its host and port */
  isSubject(name: string, host: string): boolean;
  /** The series that are reset with the counters of a device, by `nameSeries`. */
  readonly counters: RegExp;
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
  return (addresses, caFile) => ({
    collection_interval: '100ms',
    // A busy machine takes its time, too.
    timeout: '1s',
    endpoints: addresses.map((endpoint) => ({ endpoint })),
    ...(caFile !== undefined && { tls: { ca_file: caFile } }),
    ...extra,
  });
}

const noAnswer = /expected an answer within \d+ ms, found none/u;

const faults = {
  truncated: /aborted|reset|hang up|end/u,
  empty: /expected .*found/u,
  garbage: /expected .*found/u,
  'wrong JSON': /expected .*found/u,
  vanishing: /ECONNREFUSED/u,
  slow: noAnswer,
  hanging: noAnswer,
  'no permission': /HTTP 403/u,
  'no password': /HTTP 401/u,
  'unknown certificate': /self-signed certificate/u,
  'reset of the connection': /ECONNRESET|hang up/u,
} as const;

export type ServerFaultName = keyof typeof faults;

/** Longer than the time limit of every receiver. */
const lateMs = 3000;

/** The certificate of a server, and another one that its client does not know. */
type Certificates = readonly [own: CertificateFiles, unknown: CertificateFiles];

/** A server that answers as a healthy one, or fails in a given way. */
class FaultyServer {
  readonly device: SimulatedDevice;
  #fault: ServerFaultName | undefined;
  readonly #answer: RequestListener;
  readonly #certificates: Certificates | undefined;
  #server: Server | undefined;
  #port = 0;

  /** @param certificates for TLS */
  constructor(
    index: number,
    answer: FaultyServers<Schema>['answer'],
    certificates: Certificates | undefined,
  ) {
    this.device = { index, isReset: false };
    this.#answer = answer(this.device);
    this.#certificates = certificates;
  }

  get host(): string {
    return `${this.#certificates ? 'localhost' : '127.0.0.1'}:${this.#port}`;
  }

  get address(): string {
    return `${this.#certificates ? 'https' : 'http'}://${this.host}`;
  }

  async open(): Promise<void> {
    const answer: RequestListener = (request, response) => this.#reply(request, response);
    const [own] = this.#certificates ?? [];
    const server = own ? createTlsServer(readServerOptions(own), answer) : createServer(answer);
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port; // the address of a TCP server
    this.#server = server;
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  begin(fault: ServerFaultName): void {
    this.#fault = fault;
    if (fault === 'vanishing') this.close();
    if (fault === 'unknown certificate') this.#present(this.#certificates?.[1]);
  }

  async end(): Promise<void> {
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault === 'vanishing') await this.open();
    if (fault === 'unknown certificate') this.#present(this.#certificates?.[0]);
  }

  #present(certificate: CertificateFiles | undefined): void {
    if (!(this.#server instanceof TlsServer) || certificate === undefined) return;
    this.#server.setSecureContext(readServerOptions(certificate));
    this.#server.closeAllConnections();
  }

  #reply: RequestListener = (request, response) => {
    switch (this.#fault) {
      case 'truncated':
      case 'hanging': {
        const isTruncated = this.#fault === 'truncated';
        // Half of the announced length.
        response.writeHead(200, { 'Content-Length': 1000, 'Content-Type': 'text/plain' });
        response.write('x'.repeat(500), () => isTruncated && response.destroy());
        return;
      }
      case 'empty':
        return void response.end();
      case 'garbage':
        return void response.end(Buffer.from('\0\x80<html>\xff;-\n', 'latin1'));
      case 'wrong JSON':
        return void response.end('[{"Members":"none","mac":7,"StatusSNS":[null]}]');
      case 'slow':
        setTimeout(() => this.#answer(request, response), lateMs).unref();
        return;
      case 'no permission':
        return void response.writeHead(403).end();
      case 'no password':
        return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="meter"' }).end();
      case 'reset of the connection':
        return void request.socket.resetAndDestroy();
      case 'unknown certificate':
      case 'vanishing':
      case undefined:
        return this.#answer(request, response);
    }
  };
}

/**
 * Tests a receiver with each fault of a server, and with a reset of its counters: it continues to read, and the
 * other servers are not affected.
 */
export function testServerFaults<S extends Schema>(what: string, servers: FaultyServers<S>): void {
  // The keys of the object.
  for (const name of Object.keys(faults) as ServerFaultName[]) {
    const isTls = name === 'unknown certificate';
    test(`${what} withstand a server with the fault "${name}"`, { skip: isTls && noOpenssl }, async (t) => {
      const { server, ...rig } = await openRig(t, servers, isTls);
      await checkLiveFault(rig, {
        problems: [servers.problems?.[name] ?? faults[name]],
        begin: () => server.begin(name),
        end: () => server.end(),
      });
    });
  }
  test(`${what} withstand a reset of counters`, async (t) => {
    const { server, ...rig } = await openRig(t, servers, false);
    const isReset = (name: string): boolean => servers.counters.test(name) && rig.isSubject(name);
    await checkLiveReset(rig, isReset, () => (server.device.isReset = true));
  });
}

/** Starts two servers, and a receiver that reads both. */
async function openRig<S extends Schema>(
  t: TestContext,
  servers: FaultyServers<S>,
  isTls: boolean,
): Promise<LiveRig & { readonly server: FaultyServer }> {
  const certificates = isTls ? ([createCertificate(), createCertificate()] as const) : undefined;
  const both = [0, 1].map((index) => new FaultyServer(index, (one) => servers.answer(one), certificates));
  const [server, other] = both as [FaultyServer, FaultyServer]; // as many as there are indices
  for (const one of both) {
    await one.open();
    t.after(() => one.close());
  }
  const meter = createMeterReader();
  const settings = servers.settings([server.address, other.address], certificates?.[0].certFile);
  const running = await startReceiver(t, servers.factory, settings, { meter: meter.meter });
  return {
    server,
    running: [running],
    meter,
    isSubject: (one: string) => servers.isSubject(one, server.host),
    ...(servers.ignored !== undefined && { ignored: servers.ignored }),
  };
}
