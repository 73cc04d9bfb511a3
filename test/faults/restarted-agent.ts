import type { TestContext } from 'node:test';
import { openHttpBackend } from '../../src/http/http-backend.fixture.js';
import type { DecodedPoint } from '../../src/otlp/decode-request.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { startAgent, writeConfig, type Agent, type Outcome } from '../agent.js';
import { createControlSocket } from '../interop/control-socket.js';
import { parseExposition } from '../interop/exposition.js';
import { configureWitness, readAlong } from '../interop/measured-agent.js';
import { textOf } from '../interop/points.js';
import { createMeter, type Meter } from '../interop/simulated-meter.js';
import { recordCell } from './cells.js';

/** An agent that a test kills and starts again with the same configuration. */
export interface RestartedAgent {
  readonly meter: Meter;
  /** Starts the agent and waits until it measures. */
  start(): Promise<void>;
  /** Kills it at once, and stores the time. */
  kill(): Promise<void>;
  pause(isPaused: boolean): void;
  /** Ends the reading of its receivers, and waits until its exporters have delivered everything. */
  settle(): Promise<void>;
  /** Lets the receivers read again. */
  resume(): Promise<void>;
  /** Stops the meter and settles: what the agent has read is delivered, its last value included. */
  finish(): Promise<void>;
  /** Points that the exporter has reported as lost since the last start, by reason. */
  countDropped(): Promise<Readonly<Record<string, number>>>;
  /** Shuts it down. */
  stop(): Promise<Outcome>;
  /** Waits for a match in the stderr of the running agent. */
  waitFor(pattern: RegExp): Promise<string>;
  /** The points that it produced, according to a backend that is always reachable. */
  sent(): readonly DecodedPoint[];
  /**
   * Compares the produced points with those of a backend, and records the difference as a cell of the table. Points
   * of the second before a kill are left out: they may not yet have been in a request to either backend. To be
   * called when everything was delivered and the backend has written it.
   */
  account(fault: string, received: readonly DecodedPoint[]): Account;
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
  readonly storage?: string | undefined;
  readonly processors?: string;
  /** Environment variables. */
  readonly env?: NodeJS.ProcessEnv;
}

/** For outages longer than the default; on disk, requests are kept without a time limit. */
const patience = 'retry_on_failure: {max_elapsed_time: 20m}';

/** Exporters with their queues in memory, and one with its queue on disk. */
export const queues = [
  { name: 'otlp_grpc', exporter: 'otlp_grpc', suffix: '', retries: patience },
  { name: 'otlp_http', exporter: 'otlp_http', suffix: '', retries: patience },
  {
    name: 'otlp_http with file_storage',
    exporter: 'otlp_http',
    suffix: ', with `file_storage`',
    retries: '',
  },
] as const;

/** The folder of a queue on disk. */
export function findStorage({ suffix }: (typeof queues)[number]): string | undefined {
  return suffix === '' ? undefined : createFolder();
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
service: {extensions: [control, file_storage]}`;
  const socket = createControlSocket();
  const base = configureWitness({ exporter, meter, socket: socket.path, witness: witness.url });
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
  const settle = async () => {
    await socket.pause();
    await until(async () => {
      const sizes = await readOwn('otelcol_exporter_queue_size');
      return sizes.length === 2 && sizes.every(({ value }) => value === 0);
    });
  };
  return {
    meter,
    sent,
    settle,
    resume: () => socket.resume(),
    async finish() {
      meter.rest();
      await settle();
    },
    async countDropped() {
      const dropped = await readOwn('joulemetry_exporter_dropped_total');
      const own = dropped.filter(({ labels }) => labels['exporter'] === exporter);
      return Object.fromEntries(own.map(({ labels, value }) => [labels['reason'] ?? '', value]));
    },
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
    account(fault, received) {
      const made = countTexts(sent().filter((point) => !isYoung(point, kills)));
      const found = countTexts(received.filter((point) => !isYoung(point, kills)));
      const lost = [...made.keys()].filter((text) => !found.has(text));
      const strange = [...found.keys()].filter((text) => !made.has(text));
      const doubled = [...found.values()].reduce((sum, count) => sum + count - 1, 0);
      recordCell({ fault, exporter, sent: made.size, received: found.size, doubled, lost: lost.length });
      return { sent: made.size, doubled, lost, strange };
    },
  };
}

/** A metric of the agent about itself. */
async function readOwn(name: string) {
  const page = await (await fetch('http://localhost:8888/metrics')).text();
  return parseExposition(page).flatMap(({ key, value }) => {
    // Written by keyOf.
    const { __name__, ...labels } = Object.fromEntries(JSON.parse(key) as [string, string][]);
    return __name__ === name ? [{ labels, value }] : [];
  });
}

/** Whether the point is a reading of the package's energy. */
export function isPackage(point: DecodedPoint): boolean {
  return isOfPackage(point) && point.value !== undefined;
}

/** Whether the point belongs to the counter of the package's energy. */
export function isOfPackage({ name, attributes }: DecodedPoint): boolean {
  return name === 'hw.energy' && attributes['hw.type'] === 'cpu';
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
