import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openHttpBackend } from '../../src/http/http-backend.fixture.js';
import type { DecodedPoint } from '../../src/otlp/decode-request.fixture.js';
import { until } from '../../src/testing/until.js';
import { startAgent, writeConfig, type Agent, type Outcome } from '../agent.js';
import { createMeter, readAlong, type Meter } from '../interop/measured-agent.js';
import { textOf } from '../interop/points.js';
import { recordCell } from './cells.js';

/** An agent that a test kills and starts again with the same configuration. */
export interface RestartedAgent {
  readonly meter: Meter;
  /** Starts the agent and waits until it measures. */
  start(): Promise<void>;
  /** Kills it at once, and stores the time. */
  kill(): Promise<void>;
  pause(isPaused: boolean): void;
  /** Shuts it down. */
  stop(): Promise<Outcome>;
  /** Waits for a match in the stderr of the running agent. */
  waitFor(pattern: RegExp): Promise<string>;
  /** The points that it produced, according to a backend that is always reachable. */
  sent(): readonly DecodedPoint[];
  /** Stops the meter and waits until its last value was sent. */
  rest(): Promise<void>;
  /**
   * Compares the produced points with the points of a backend, and records the difference as a cell of the
   * table. Points of the second before a kill are left out: they may not yet have been in a request to either
   * backend. Waits for missing points while others arrive.
   */
  account(fault: string, received: () => readonly DecodedPoint[]): Promise<Account>;
}

export interface Account {
  readonly sent: number;
  readonly doubled: number;
  readonly lost: readonly string[];
  /** Points that the backend has but the agent never produced. */
  readonly strange: readonly string[];
}

export interface AgentSettings {
  /** `otlp_grpc`, `otlp_http`. */
  readonly exporter: string;
  /** Its settings, and those of receivers and extensions: maps in YAML flow style. */
  readonly settings?: string;
  readonly receivers?: string;
  /** Folder of a `file_storage`; without one, requests are queued in memory. */
  readonly storage?: string;
  readonly processors?: string;
  /** Environment variables. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Maximum time until a point is in a request: `batch.flush_timeout`, plus a margin for a loaded machine. */
const youngNs = 1_000_000_000n;

/** An agent with a meter that simulates RAPL, and a second backend as its witness. Call `start`. */
export async function createRestartedAgent(
  t: TestContext,
  { exporter, settings = '{}', receivers = '{}', processors = '{}', storage, env }: AgentSettings,
): Promise<RestartedAgent> {
  const meter = createMeter(t);
  const witness = await openHttpBackend(t);
  const stored =
    storage === undefined
      ? ''
      : `
exporters: {${exporter}: {sending_queue: {storage: file_storage}}}
extensions: {file_storage: {directory: ${storage}}}
service: {extensions: [file_storage]}`;
  const base = writeConfig(`
receivers:
  rapl: {sysfs: ${meter.sysfs}, interface: powercap}
exporters:
  ${exporter}:
    retry_on_failure: {initial_interval: 200ms, max_interval: 1s, randomization_factor: 0}
  otlp_http/witness: {endpoint: ${witness.url}, compression: none}
service:
  pipelines:
    metrics: {exporters: [${exporter}, otlp_http/witness]}
`);
  const more = writeConfig(
    `exporters: {${exporter}: ${settings}}\nreceivers: ${receivers}\nprocessors: ${processors}\n`,
  );
  const example = 'otel-examples/collector/joulemetry.yaml';
  const configs = [example, base, more, writeConfig(stored)].flatMap((path) => ['-c', path]);
  const kills: bigint[] = [];
  let agent: Agent | undefined;
  const running = (): Agent => {
    if (agent === undefined) throw new Error('Cannot reach the agent: expected start() before, found none');
    return agent;
  };
  const sent = readAlong(witness);
  t.after(() => agent?.stop('SIGKILL'));
  return {
    meter,
    sent,
    async start() {
      agent = startAgent(['run', ...configs], env);
      await agent.waitFor(/Everything is ready/u);
      meter.run();
    },
    async kill() {
      kills.push(BigInt(Date.now()) * 1_000_000n);
      await running().stop('SIGKILL');
    },
    pause: (isPaused) => process.kill(running().pid, isPaused ? 'SIGSTOP' : 'SIGCONT'),
    stop: () => running().stop(),
    waitFor: (pattern) => running().waitFor(pattern),
    async rest() {
      meter.rest();
      const before = sent().filter(isPackage).length;
      // The first reading may have started earlier.
      await until(() => sent().filter(isPackage).length >= before + 3);
    },
    async account(fault, received) {
      await settle(received, sent);
      const made = countTexts(sent().filter((point) => !isYoung(point, kills)));
      const found = countTexts(received().filter((point) => !isYoung(point, kills)));
      const lost = [...made.keys()].filter((text) => !found.has(text));
      const strange = [...found.keys()].filter((text) => !made.has(text));
      const doubled = [...found.values()].reduce((sum, count) => sum + count - 1, 0);
      recordCell({ fault, exporter, sent: made.size, received: found.size, doubled, lost: lost.length });
      return { sent: made.size, doubled, lost, strange };
    },
  };
}

/** Time without new points after which none is expected any more. */
const quietMs = 3000;

async function settle(...lists: readonly (() => readonly DecodedPoint[])[]): Promise<void> {
  const count = () => lists.reduce((sum, list) => sum + list().length, 0);
  for (let before = -1; count() !== before;) {
    before = count();
    await sleep(quietMs);
  }
}

/** Whether the point is a reading of the package's energy. */
export function isPackage({ name, attributes, value }: DecodedPoint): boolean {
  return name === 'hw.energy' && attributes['hw.type'] === 'cpu' && value !== undefined;
}

/** Whether the point may not have been in a request yet when the agent was killed. */
function isYoung({ time }: DecodedPoint, kills: readonly bigint[]): boolean {
  return kills.some((killed) => time > killed - youngNs && time <= killed);
}

function countTexts(points: readonly DecodedPoint[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of points.map(textOf)) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}
