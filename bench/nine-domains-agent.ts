import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parquetMetadata } from 'hyparquet';
import { FakeSysfs } from '../receivers/rapl/fake-sysfs.fixture.js';
import { total } from '../test/sums.js';
import { countKeptPoints, readOwnPoints } from './kept-points.js';
import { endProgram } from './processes.js';
import { slicesVariable } from './slice-clock.js';

const moveEveryMs = 50;
/** Energy of a package per interval; its core uses half and its memory a quarter of it. */
const movedMicrojoules = 5000;
const firstMicrojoules = 1e9;

/** Three packages, each with core and memory, whose counters increase. */
export interface NineDomains {
  readonly sysfs: string;
  /** The files of the counters. */
  readonly files: readonly string[];
  end(): void;
}

export function startNineDomains(): NineDomains {
  const sysfs = new FakeSysfs();
  const zones = [0, 1, 2].flatMap((number) => [
    { path: `intel-rapl:${number}`, name: `package-${number}`, share: 1 },
    { path: `intel-rapl:${number}/intel-rapl:${number}:0`, name: 'core', share: 0.5 },
    { path: `intel-rapl:${number}/intel-rapl:${number}:1`, name: 'dram', share: 0.25 },
  ]);
  for (const { path, name } of zones) sysfs.writeZone(path, { name, microjoules: firstMicrojoules });
  const files = zones.map(({ path }) => join(sysfs.root, `class/powercap/${path}/energy_uj`));
  // Writes in place, with the same number of digits each time: a file that is replaced is empty for a moment.
  const fds = files.map((file) => openSync(file, 'r+'));
  let moved = 0;
  const timer = setInterval(() => {
    moved += movedMicrojoules;
    for (const [i, { share }] of zones.entries())
      writeSync(fds[i], `${Math.floor(firstMicrojoules + moved * share)}`, 0);
  }, moveEveryMs);
  return {
    sysfs: sysfs.root,
    files,
    end() {
      clearInterval(timer);
      fds.forEach((fd) => closeSync(fd));
      sysfs.remove('.');
    },
  };
}

/** Number of points by output. */
export interface Delivered {
  readonly received: number;
  readonly parquet: number;
  readonly otlp: number;
  readonly prometheus: number;
}

/** An agent that samples nine domains into a Parquet file, to an OTLP backend and for Prometheus. */
export class NineDomainsAgent {
  readonly #folder: string;
  readonly #sink: ChildProcess;
  readonly #child: ChildProcess;
  readonly #page: string;
  readonly #ownPage: string;

  static async start(sysfs: string, hz: number): Promise<NineDomainsAgent> {
    const folder = mkdtempSync(join(tmpdir(), 'joulemetry-bench-'));
    mkdirSync(join(folder, 'kept'));
    const sink = spawnScript('./otlp-sink.js', [join(folder, 'kept')]);
    const ports = await readLine(sink);
    const config = join(folder, 'config.yaml');
    writeFileSync(config, describeConfig(folder, { sysfs, hz, ports: ports.split(' ').map(Number) }));
    const child = spawnScript('../src/cli/main.js', ['run', '-c', config], join(folder, slicesFile));
    const [page = '', ownPage = ''] = await findPages(child);
    return new NineDomainsAgent(folder, { sink, child, page, ownPage });
  }

  private constructor(
    folder: string,
    {
      sink,
      child,
      page,
      ownPage,
    }: { sink: ChildProcess; child: ChildProcess; page: string; ownPage: string },
  ) {
    this.#folder = folder;
    this.#sink = sink;
    this.#child = child;
    this.#page = page;
    this.#ownPage = ownPage;
  }

  /** Reads the page as Prometheus does. @returns how long that took */
  scrape(): Promise<number> {
    return measurePage(this.#page);
  }

  /** Figures of its own telemetry, all of one collection: maxima refer to the time since the last call. */
  async readOwn<const Name extends string>(names: readonly Name[]): Promise<Readonly<Record<Name, number>>> {
    const text = await (await fetch(this.#ownPage)).text();
    const find = (name: string) =>
      Number(new RegExp(`^joulemetry_${name}(?:\\{.*\\})? (\\S+)$`, 'mu').exec(text)?.[1]);
    // Has one entry per name.
    return Object.fromEntries(names.map((name) => [name, find(name)])) as Record<Name, number>;
  }

  /** CPU time of its main thread between turns of the event loop, since the last call. */
  async readSlices(): Promise<{ readonly longestMs: number; readonly long: number }> {
    const path = join(this.#folder, slicesFile);
    rmSync(path, { force: true });
    this.#child.kill('SIGUSR2');
    for (;;) {
      await sleep(10);
      const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
      const [longestMs = NaN, long = NaN] = text.split(' ').map(Number);
      if (text.endsWith('\n')) return { longestMs, long };
      if (this.#child.exitCode !== null) throw new Error('Cannot read the slices of the agent: it has ended');
    }
  }

  /** Ends the agent as a service manager does. @returns how long that took */
  async end(): Promise<number> {
    const startedMs = performance.now();
    const [code] = (await Promise.all([once(this.#child, 'exit'), endProgram(this.#child)]))[0] as [number]; // an exit code
    if (code !== 0) throw new Error(`Cannot measure the end: expected exit code 0, found ${code}`);
    return performance.now() - startedMs;
  }

  /** Points that arrived in each output, once the agent has ended. */
  countDelivered(): Delivered {
    const kept = join(this.#folder, 'kept');
    const own = readOwnPoints(kept);
    const sumOf = (name: string, key: string, value: string) =>
      total(
        own
          .filter((one) => one.name === name && one.attributes[key] === value)
          .map((one) => Number(one.value)),
      );
    const { buffer, byteOffset, length } = readFileSync(join(this.#folder, 'out.parquet'));
    const file = buffer.slice(byteOffset, byteOffset + length);
    return {
      received: sumOf('otelcol_receiver_accepted_metric_points', 'receiver', 'rapl'),
      parquet: Number(parquetMetadata(file).num_rows),
      otlp: countKeptPoints(kept),
      prometheus: sumOf('otelcol_exporter_sent_metric_points', 'exporter', 'prometheus'),
    };
  }

  /** Removes all its files. Safe to call again. */
  async clean(): Promise<void> {
    await endProgram(this.#child);
    await endProgram(this.#sink);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A server that only answers with a page. */
export async function startBarePage() {
  const child = spawnScript('./bare-page.js', []);
  const port = await readLine(child);
  return { scrape: () => measurePage(`http://localhost:${port}`), end: () => endProgram(child) };
}

/** @returns how long it took to read a page with measurements */
async function measurePage(url: string): Promise<number> {
  const startedMs = performance.now();
  const response = await fetch(url);
  const text = await response.text();
  if (response.status !== 200 || !text.includes('hw_energy'))
    throw new Error(`Cannot measure the page: expected hw_energy, found HTTP ${response.status}: ${text}`);
  return performance.now() - startedMs;
}

async function readLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('Cannot read a port: expected a pipe, found none');
  const [line] = (await once(stdout.setEncoding('utf8'), 'data')) as [string]; // a stream with an encoding
  return line.trim();
}

const slicesFile = 'slices';

/** @param slices file for the slices of its main thread; undefined: they are not measured */
function spawnScript(script: string, args: readonly string[], slices?: string): ChildProcess {
  const [path, clock] = [script, './slice-clock.js'].map((file) => new URL(file, import.meta.url));
  const preload = slices === undefined ? [] : ['--import', String(clock)];
  return spawn(process.execPath, [...preload, fileURLToPath(String(path)), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(slices !== undefined && { [slicesVariable]: slices }) },
  });
}

interface Description {
  readonly sysfs: string;
  readonly hz: number;
  readonly ports: readonly number[];
}

/** Own telemetry is pushed once, at the end, when it is complete. */
function describeConfig(folder: string, { sysfs, hz, ports: [http, grpc] }: Description): string {
  return `
receivers: {rapl: {sysfs: ${sysfs}, interface: powercap, sampling_interval: ${1e6 / hz}us, flush_interval: 100ms}}
exporters:
  file: {path: ${folder}/out.parquet, format: parquet, append: false}
  otlp_http: {endpoint: 'http://localhost:${http}'}
  prometheus: {endpoint: 'localhost:0'}
service:
  pipelines: {metrics: {receivers: [rapl], exporters: [file, otlp_http, prometheus]}}
  telemetry:
    metrics:
      readers:
        - pull: {exporter: {prometheus: {port: 0}}}
        - periodic: {interval: 1h, exporter: {otlp: {endpoint: 'localhost:${grpc}', insecure: true}}}
`;
}

/** The addresses of the page with measured metrics and the page with its own, which the agent logs. */
function findPages(child: ChildProcess): Promise<readonly string[]> {
  let log = '';
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`Cannot measure the agent: it ended\n${log}`)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      const own = /Serving own metrics at (\S+)\n/u.exec(log)?.[1];
      const page = /Serving metrics at (\S+)\n/u.exec(log)?.[1];
      if (own !== undefined && page !== undefined && log.includes('Everything is ready'))
        resolve([page, own]);
    });
  });
}
