import { join } from 'node:path';
import { createFolder, writeConfig } from '../agent.js';
import { peerPath } from './peers.js';
import { readRequests, type JsonRequest } from './points.js';
import { startProgram, type Program, type Scope } from './program.js';

/** A running Collector. */
export interface Collector extends Program {
  /** What its file exporter has written, over restarts. */
  requests(): readonly JsonRequest[];
}

export interface CollectorOptions {
  /** Laid over the example's configuration. */
  readonly over?: string;
  /** Where its file exporter writes; a new file unless given. */
  readonly file?: string;
}

/** Starts a Collector with the very file of otel-examples, and what is laid over it. */
export async function startCollector(
  scope: Scope,
  { over = '{}', file = createOutputPath() }: CollectorOptions = {},
): Promise<Collector> {
  const configs = ['otel-examples/collector/collector.yaml', writeConfig(over)];
  const args = configs.flatMap((path) => ['--config', path]);
  const program = startProgram(scope, [peerPath('otelcol'), ...args], { OTLP_FILE: file });
  await program.waitFor(/Everything is ready/);
  return { ...program, requests: () => readRequests(file) };
}

/** A path for the file of a Collector, to be kept over its restarts. */
export function createOutputPath(): string {
  return join(createFolder(), 'otlp.jsonl');
}
