import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createMeterReader } from '../../src/component/fakes.js';
import { createCertificate, noOpenssl, readServerOptions } from '../../src/http/certificate.fixture.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

// A site gives the points that were missed once it answers again: a fault of it is no gap. Without an answer its port is closed.
const faults: Readonly<Record<string, readonly [RequestListener | undefined, RegExp]>> = {
  truncated: [
    (_, response) => {
      response.writeHead(200, { 'Content-Length': 1000 });
      response.write('[{"timestamp":', () => response.destroy());
    },
    /aborted/u,
  ],
  empty: [(_, response) => void response.end(), /expected a list in JSON/u],
  'wrong JSON': [(_, response) => void response.end('{"power":100}'), /expected a list in JSON/u],
  hanging: [
    (_, response) => {
      response.writeHead(200, { 'Content-Length': 1000 });
      response.write('[{"timestamp":');
    },
    /expected an answer within 300 ms, found none/u,
  ],
  slow: [() => {}, /expected an answer within 300 ms, found none/u],
  'no password': [(_, response) => void response.writeHead(401).end(), /HTTP 401/u],
  garbage: [(_, response) => void response.end('\0<html>'), /expected a list in JSON/u],
  reset: [({ socket }) => void socket.resetAndDestroy(), /ECONNRESET|hang up/u],
  'no permission': [(_, response) => void response.writeHead(403).end(), /HTTP 403/u],
  vanishing: [undefined, /ECONNREFUSED/u],
};

const node = 'taurus-1';

/** A healthy site, with one point. */
function createSite(): RequestListener {
  const recordedMs = Date.now() - 3000;
  const timestamp = new Date(recordedMs).toISOString();
  const record = { timestamp, device_id: node, metric_id: 'wattmetre_power_watt', value: 100, labels: {} };
  return ({ url = '' }, response) => {
    const { searchParams: query } = new URL(url, 'http://site');
    const [from = 0, to = 0] = ['start_time', 'end_time'].map((key) => Date.parse(query.get(key) ?? ''));
    response.end(JSON.stringify(from <= recordedMs && recordedMs <= to ? [record] : []));
  };
}

/** A site that fails until it is repaired. */
async function openSite(t: TestContext, broken: RequestListener | undefined) {
  let answer = broken;
  const server = createServer((request, response) => answer?.(request, response));
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  await listen(0);
  t.after(close);
  const { port } = server.address() as AddressInfo; // a TCP server has one
  if (broken === undefined) close();
  const healthy = createSite();
  const mend = async (): Promise<void> => {
    answer = healthy;
    if (broken === undefined) await listen(port);
  };
  return { endpoint: `http://127.0.0.1:${port}`, mend };
}

/** A site with a certificate that its client does not trust, until it is repaired. */
async function openUntrustedSite(t: TestContext) {
  const [trusted, unknown] = [createCertificate(), createCertificate()];
  const server = createTlsServer(readServerOptions(unknown), createSite());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // a TCP server has one
  const mend = (): void => server.setSecureContext(readServerOptions(trusted));
  return { endpoint: `https://localhost:${port}`, caFile: trusted.certFile, mend };
}

interface BrokenSite {
  readonly endpoint: string;
  /** Certificates that are trusted. */
  readonly caFile?: string;
  mend(): unknown;
}

async function checkSite(t: TestContext, { endpoint, caFile, mend }: BrokenSite, problem: RegExp) {
  const meter = createMeterReader();
  const settings = {
    collection_interval: '100ms',
    delay: '1s',
    timeout: '300ms',
    endpoints: [{ endpoint, nodes: [node] }],
    ...(caFile !== undefined && { tls: { ca_file: caFile } }),
  };
  const { collector, log } = await startReceiver(t, factory, settings, { meter: meter.meter });
  await until(async () =>
    Object.entries(await meter.read()).some(([key, count]) => key.includes('errored') && count >= 3),
  );
  assert.equal(log.lines.length, 1, log.lines.join('\n'));
  assert.match(log.lines[0] ?? '', problem);
  assert.deepEqual(collector.tables, []);
  await mend();
  await until(() => collector.last('hw.power').some(({ value }) => value === 100));
  assert.equal(log.lines.filter((line) => line.startsWith('error')).length, 1);
}

const outcome = 'once, counts it, and takes what was missed afterwards';

for (const [name, [answer, problem]] of Object.entries(faults)) {
  test(`kwollect logs a site with the fault "${name}" ${outcome}`, async (t) => {
    await checkSite(t, await openSite(t, answer), problem);
  });
}

test(
  `kwollect logs a site with the fault "unknown certificate" ${outcome}`,
  { skip: noOpenssl },
  async (t) => {
    await checkSite(t, await openUntrustedSite(t), /self-signed certificate/u);
  },
);
