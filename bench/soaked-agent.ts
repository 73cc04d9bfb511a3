import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FakeSysfs } from '../receivers/rapl/fake-sysfs.fixture.js';
import { listOpenMaps, type OpenMap } from '../src/linux/bpf/open-maps.fixture.js';
import { readMemoryUse, type MemoryUse } from '../src/linux/memory-use.js';
import { endProgram } from './processes.js';

/** An agent that does everything at once, with its sink. */
export interface SoakedAgent {
  readMemory(): MemoryUse;
  /** Reads both of its pages. */
  scrape(): Promise<OwnFigures>;
  /** Its maps in the kernel. */
  listMaps(): readonly OpenMap[];
  /** Points that the sink received, in requests. */
  readonly requests: () => number;
  end(): Promise<void>;
}

/** What the agent reports about itself. */
export interface OwnFigures {
  /** Objects on its heap. */
  readonly heapBytes: number;
  /** Ended threads whose report did not fit into the ring buffer; NaN without eBPF. */
  readonly lostEnds: number;
}

/**
 * The default agent with an additional 1 kHz sampler of the kernel's software PMU and OTLP to a sink.
 * @throws Error when it exits before it measures
 */
export async function startSoakedAgent(): Promise<SoakedAgent> {
  const sysfs = new FakeSysfs();
  sysfs.writePmu({ 'energy-pkg': 'event=0x00' });
  const sink = await openSink();
  const folder = mkdtempSync(join(tmpdir(), 'joulemetry-soak-'));
  const config = join(folder, 'soak.yaml');
  writeFileSync(config, describeConfig(sysfs.root, sink.port));
  const child = startProgram(config);
  const clean = () => {
    sink.server.close();
    sink.server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
    sysfs.remove('.');
  };
  try {
    const pages = await findPages(child);
    return {
      readMemory: () => readMemoryUse(requirePid(child)),
      listMaps: () => listOpenMaps(requirePid(child)),
      scrape: () => scrapePages(pages),
      requests: sink.requests,
      async end() {
        await endProgram(child);
        clean();
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    clean();
    throw error;
  }
}

function describeConfig(sysfs: string, port: number): string {
  return `
receivers: {rapl: {start: required, sysfs: ${sysfs}, interface: perf_event, sampling_interval: 1ms, flush_interval: 1s}}
exporters:
  prometheus: {endpoint: "localhost:0"}
  otlp_http: {endpoint: "http://localhost:${port}"}
extensions: {health_check: {endpoint: "localhost:0"}}
service:
  pipelines: {metrics: {exporters: [prometheus, console, otlp_http]}}
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {port: 0}}}}]}}
`;
}

function startProgram(config: string): ChildProcess {
  const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
  const standard = fileURLToPath(new URL('../../config/default.yaml', import.meta.url));
  const flags = (process.env['SOAK_NODE_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');
  return spawn(process.execPath, [...flags, main, 'run', '-c', standard, '-c', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** A backend that accepts and discards everything. */
export async function openSink(): Promise<{ server: Server; port: number; requests: () => number }> {
  let requests = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      requests++;
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server that listens
  return { server, port, requests: () => requests };
}

/** The addresses of its pages, which the agent logs; prints its other log lines. */
function findPages(child: ChildProcess): Promise<readonly string[]> {
  let log = '';
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`Cannot soak the agent: it ended\n${log}`)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      for (const line of text.split('\n')) if (/ (warn|error) /u.test(line)) console.error(line);
      const pages = ['Serving own metrics at', 'Serving metrics at'].map(
        (what) => new RegExp(`${what} (\\S+)\\n`, 'u').exec(log)?.[1] ?? '',
      );
      if (log.includes('Everything is ready') && !pages.includes('')) resolve(pages);
    });
  });
}

async function scrapePages(pages: readonly string[]): Promise<OwnFigures> {
  const [own = ''] = await Promise.all(pages.map(async (page) => (await fetch(page)).text()));
  const valueOf = (name: string) =>
    Number(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'mu').exec(own)?.[1] ?? NaN);
  return {
    heapBytes: valueOf('otelcol_process_runtime_heap_alloc_bytes'),
    lostEnds: valueOf('joulemetry_process_lost_ends_total'),
  };
}

function requirePid({ pid, exitCode }: ChildProcess): number {
  if (pid !== undefined && exitCode === null) return pid;
  throw new Error(`Cannot measure the agent: it ended with exit code ${exitCode}`);
}
