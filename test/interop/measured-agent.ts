import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setInterval } from 'node:timers';
import { createFakeSysfs } from '../../receivers/rapl/fake-sysfs.fixture.js';
import { openHttpBackend, type HttpBackend } from '../../src/http/http-backend.fixture.js';
import { decodePoints, type DecodedPoint } from '../../src/otlp/decode-request.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { runAgent, startAgent, writeConfig, type Outcome } from '../agent.js';

/** A simulated RAPL package with its memory, in place of those of this machine. */
export interface Meter {
  readonly sysfs: string;
  /** Joules that the package has used since `run`. */
  joules(): number;
  /** Starts both counters. */
  run(): void;
  /** Stops both counters. */
  rest(): void;
}

/** An agent that also sends its points to a backend that is always reachable. */
export interface MeasuredAgent {
  readonly meter: Meter;
  /** Points that the agent sent, according to that backend. */
  sent(): readonly DecodedPoint[];
  /** Bytes of each of its requests. */
  requestBytes(): readonly number[];
  /** Pauses the receivers, and waits until both destinations have everything. */
  settle(countArrived: () => number): Promise<void>;
  /** Lets the receivers read again. */
  resume(): Promise<void>;
  /**
   * Stops the meter, waits until its last reading was sent and everything has arrived, and ends the agent. The
   * receivers are paused before: otherwise a slow machine makes points faster than the test reads them.
   * @param countArrived number of points that have arrived or were lost so far
   */
  finish(countArrived: () => number): Promise<Outcome>;
}

export interface AgentOptions {
  /** Its configuration; by default that of the Collector's example. */
  readonly example?: string;
  /** The other destination of the points: `otlp_grpc` or `otlp_http`. */
  readonly exporter: string;
  /** Settings of that exporter, and of receivers: maps in YAML flow style. */
  readonly settings?: string;
  readonly receivers?: string;
  /** Maximum number of processes with series of their own; 0: all. */
  readonly processLimit?: number;
}

const restingWatts = 5;
const stepMs = 50;

/** Starts the agent of otel-examples with a simulated meter, and waits until it is ready. */
export async function startMeasuredAgent(t: TestContext, options: AgentOptions): Promise<MeasuredAgent> {
  const {
    example = 'otel-examples/collector/joulemetry.yaml',
    exporter,
    settings = '{}',
    receivers = '{}',
    processLimit = 50,
  } = options;
  const meter = createMeter(t);
  const backend = await openHttpBackend(t);
  const socket = join(createFolder(), 'control.sock');
  const over = writeConfig(`
receivers:
  rapl: {sysfs: ${meter.sysfs}, interface: powercap}
exporters:
  ${exporter}:
    retry_on_failure: {initial_interval: 200ms, max_interval: 1s, randomization_factor: 0}
  otlp_http/witness: {endpoint: ${backend.url}, compression: none}
extensions: {control: {socket: {path: ${socket}}}}
service:
  extensions: [control]
  pipelines:
    metrics: {exporters: [${exporter}, otlp_http/witness]}
`);
  const more = writeConfig(`
exporters: {${exporter}: ${settings}}
receivers: ${receivers}
processors: {attribution: {process_limit: ${processLimit}}}
`);
  const configs = [example, over, more].flatMap((path) => ['-c', path]);
  const agent = startAgent(['run', ...configs]);
  t.after(() => agent.stop('SIGKILL'));
  await agent.waitFor(/Everything is ready/);
  meter.run();
  const sent = readAlong(backend);
  const settle = async (countArrived: () => number) => {
    await control(socket, 'pause', 'receiver:*');
    await control(socket, 'flush');
    const points = await countAccepted(socket);
    await until(() => Math.min(sent().length, countArrived()) >= points).catch((cause: unknown) => {
      throw new Error(`${countArrived()} of ${sent().length} points have arrived, ${points} were made`, {
        cause,
      });
    });
  };
  return {
    meter,
    sent,
    resume: async () => void (await control(socket, 'resume', 'receiver:*')),
    requestBytes: () => backend.received.map(({ bytes }) => bytes.length),
    settle,
    async finish(countArrived) {
      meter.rest();
      await until(() => lastJoules(sent()) === meter.joules());
      await settle(countArrived);
      return agent.stop();
    },
  };
}

/** Number of points that the agent has passed to its witness. */
async function countAccepted(socket: string): Promise<number> {
  const { components } = JSON.parse(await control(socket, 'list', '--json')) as {
    readonly components: readonly { readonly name: string; readonly accepted_points: number }[];
  };
  return components.find(({ name }) => name === 'exporter:otlp_http/witness')?.accepted_points ?? NaN;
}

/** @returns what `joulemetry ctl` prints */
async function control(socket: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runAgent(['ctl', '--socket', socket, ...args]);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Points that a backend has received so far. Each request is decoded once. */
export function readAlong({ received }: HttpBackend): () => readonly DecodedPoint[] {
  const points: DecodedPoint[] = [];
  let decoded = 0;
  return () => {
    for (const { bytes } of received.slice(decoded)) points.push(...decodePoints(bytes));
    decoded = received.length;
    return points;
  };
}

/** The last reading of the package. */
export function lastJoules(points: readonly DecodedPoint[]): number {
  const readings = points.filter(
    ({ name, attributes, value }) =>
      name === 'hw.energy' && attributes['hw.type'] === 'cpu' && value !== undefined,
  );
  return Math.max(0, ...readings.map(({ value }) => Number(value)));
}

/** A meter that ends with the test. */
export function createMeter(t: TestContext): Meter {
  const sysfs = createFakeSysfs(t);
  const started = 5_000_000;
  let microjoules = started;
  const write = () => {
    sysfs.writeEnergy('intel-rapl:0', microjoules);
    sysfs.writeEnergy('intel-rapl:0/intel-rapl:0:0', Math.floor(microjoules / 8));
  };
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules });
  sysfs.writeZone('intel-rapl:0/intel-rapl:0:0', { name: 'dram', microjoules });
  write();
  let timer: NodeJS.Timeout | undefined;
  const rest = () => clearInterval(timer);
  t.after(rest);
  return {
    sysfs: sysfs.root,
    joules: () => (microjoules - started) / 1e6,
    rest,
    run() {
      rest();
      timer = setInterval(() => {
        microjoules += restingWatts * stepMs * 1000;
        write();
      }, stepMs);
    },
  };
}

/** Fails unless an agent exited normally with empty queues. */
export function assertNothingLost({ code, stderr }: Outcome): void {
  assert.doesNotMatch(stderr, /Lost \d+ points/u);
  assert.equal(code, 0);
}

/** Points that an agent reports as permanently lost because a backend refused them. */
export function countLost(stderr: string): number {
  const lines = stderr.matchAll(
    /Lost (\d+) points for \S+: the request was (?:refused for good|taken without them)/gu,
  );
  return [...lines].reduce((sum, [, points]) => sum + Number(points), 0);
}
