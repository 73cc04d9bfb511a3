import assert from 'node:assert/strict';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { peerPath, type PeerName } from './peers.js';
import { startProgram, type Program, type Scope } from './program.js';

/** One series at one instant. */
export interface Sample {
  /** With `__name__`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Unix time in milliseconds: of the sample for a range query, otherwise of the query. */
  readonly timeMs: number;
}

/** A running Prometheus. */
export interface Prometheus extends Program {
  /** The value of an expression now; for a range selector, every sample. */
  query(expression: string): Promise<readonly Sample[]>;
  /** The answer of the HTTP API under a path. */
  get(path: string): Promise<unknown>;
  /** Its version, if it was built with one. */
  version(): Promise<string>;
}

type Point = readonly [seconds: number, value: string];

/** The used part of the answer to /api/v1/query. */
interface QueryResult {
  readonly resultType: string;
  readonly result: readonly {
    readonly metric: Record<string, string>;
    readonly value?: Point;
    readonly values?: readonly Point[];
  }[];
}

const address = 'http://localhost:9090';

/** Starts a Prometheus with a file of otel-examples, and waits until it is ready. */
export async function startPrometheus(
  scope: Scope,
  peer: PeerName,
  config: string,
  args: readonly string[] = [],
): Promise<Prometheus> {
  const hasStorage = args.some((arg) => arg.startsWith('--storage.tsdb.path='));
  const storage = hasStorage ? [] : [`--storage.tsdb.path=${createFolder()}`];
  const program = startProgram(scope, [peerPath(peer), `--config.file=${config}`, ...storage, ...args]);
  await program.waitFor(/Server is ready to receive web requests/u);
  return { ...program, get, query, version };
}

async function get(path: string): Promise<unknown> {
  const response = await fetch(`${address}/api/v1/${path}`);
  // Every answer of the HTTP API has this envelope.
  const { status, data, error } = (await response.json()) as {
    status: string;
    data: unknown;
    error?: string;
  };
  assert.equal(status, 'success', `${path}: ${error}`);
  return data;
}

async function version(): Promise<string> {
  const { version: text } = (await get('status/buildinfo')) as { version: string };
  return text || 'of its own';
}

async function query(expression: string): Promise<readonly Sample[]> {
  const { resultType, result } = (await get(`query?query=${encodeURIComponent(expression)}`)) as QueryResult;
  assert.match(resultType, /^(?:vector|matrix)$/);
  return result.flatMap(({ metric: labels, value, values = value ? [value] : [] }) =>
    values.map(([seconds, text]) => ({
      labels,
      value: parseValue(text),
      timeMs: Math.round(seconds * 1000),
    })),
  );
}

function parseValue(text: string): number {
  return Number(text.replace('Inf', 'Infinity'));
}
