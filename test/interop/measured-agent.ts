import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { openHttpBackend, type HttpBackend } from '../../src/http/http-backend.fixture.js';
import { decodePoints, type DecodedPoint } from '../../src/otlp/decode-request.fixture.js';
import { until } from '../../src/testing/until.js';
import { startAgent, writeConfig, type Outcome } from '../agent.js';
import { createControlSocket } from './control-socket.js';
import { assertSamePoints, subtract } from './points.js';
import { createMeter, type Meter } from './simulated-meter.js';

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

export interface WitnessOptions {
  /** The exporter under test. */
  readonly exporter: string;
  readonly meter: Meter;
  /** Path of the control socket. */
  readonly socket: string;
  /** URL of the witness. */
  readonly witness: string;
}

/** Settings of an exporter that retries soon. On a slow machine, an answer that comes late is no reason to. */
const patientSending = `timeout: 10m
    retry_on_failure: {initial_interval: 200ms, max_interval: 1s, randomization_factor: 0}`;

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
  const socket = createControlSocket();
  const over = configureWitness({ exporter, meter, socket: socket.path, witness: backend.url });
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
    await socket.pause();
    const points = await socket.countAccepted('exporter:otlp_http/witness');
    await until(() => Math.min(sent().length, countArrived()) >= points).catch((cause: unknown) => {
      throw new Error(`${countArrived()} of ${sent().length} points have arrived, ${points} were made`, {
        cause,
      });
    });
  };
  return {
    meter,
    sent,
    resume: () => socket.resume(),
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

/**
 * Writes a configuration file for an agent with a simulated meter, an exporter that retries soon, a second backend
 * as its witness and a control socket.
 */
export function configureWitness({ exporter, meter, socket, witness }: WitnessOptions): string {
  return writeConfig(`
receivers:
  rapl: {sysfs: ${meter.sysfs}, interface: powercap}
exporters:
  ${exporter}:
    ${patientSending}
  otlp_http/witness: {endpoint: ${witness}, compression: none, timeout: 10m}
extensions: {control: {socket: {path: ${socket}}}}
service:
  extensions: [control]
  pipelines:
    metrics: {exporters: [${exporter}, otlp_http/witness]}
`);
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

/** Fails unless an agent exited normally with empty queues. */
export function assertNothingLost({ code, stderr }: Outcome): void {
  assert.doesNotMatch(stderr, /Lost \d+ points/u);
  assert.equal(code, 0);
}

/**
 * Fails unless an agent exited normally and a backend has the points that it sent. Only what the agent counts as
 * lost may be missing: its last readings, if a slow machine leaves it no time to deliver them.
 * @param exporter name of the exporter to the backend
 * @param sent points of the other destination, some of which may be missing for the same reason
 */
export function assertDelivered(
  outcome: Outcome,
  exporter: string,
  { found, sent }: { readonly found: readonly DecodedPoint[]; readonly sent: readonly DecodedPoint[] },
): void {
  assertEnded(outcome);
  const { stderr } = outcome;
  const [late, lateAtWitness] = [exporter, 'otlp_http/witness'].map((name) => countLate(stderr, name));
  if (late === 0 && lateAtWitness === 0) assertSamePoints(found, sent);
  assert.ok(subtract(sent, found).length <= (late ?? 0), `more points are missing than ${late}:\n${stderr}`);
  assert.ok(subtract(found, sent).length <= (lateAtWitness ?? 0), `${lateAtWitness} may be surplus`);
}

/** Fails unless an agent exited normally, and lost nothing but what could not be delivered at its shutdown. */
export function assertEnded({ code, stderr }: Outcome): void {
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /Lost \d+ points for \S+: (?!there was no time left before the shutdown)/u);
}

/** Points that an exporter reports as lost because they were not confirmed in the time of the shutdown. */
export function countLate(stderr: string, exporter: string): number {
  const lines = stderr.matchAll(/ (?<id>\S+): Lost (?<count>\d+) points for \S+: there was no time left/gu);
  return sumCounts([...lines].filter(({ groups }) => groups?.['id'] === exporter));
}

/** Points that an agent reports as permanently lost because a backend refused them. */
export function countLost(stderr: string): number {
  return sumCounts([
    ...stderr.matchAll(
      /Lost (?<count>\d+) points for \S+: the request was (?:refused for good|taken without them)/gu,
    ),
  ]);
}

function sumCounts(lines: readonly RegExpMatchArray[]): number {
  return lines.reduce((sum, { groups }) => sum + Number(groups?.['count']), 0);
}
