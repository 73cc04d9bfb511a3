import { writeConfig } from '../agent.js';
import { OutputFile } from './output-file.js';
import { peerPath } from './peers.js';
import { startProgram, type Program, type Scope } from './program.js';

/** A running Collector. */
export interface Collector extends Program {
  /** Output of its file exporter. */
  readonly written: OutputFile;
}

export interface CollectorOptions {
  /** Merged over the example's configuration. */
  readonly over?: string;
  /** File for its file exporter; a new file unless given. */
  readonly written?: OutputFile;
  /** Command prefix, for example to run it in another network. */
  readonly wrapper?: readonly string[];
  /** Environment variables for the example's configuration. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a Collector with the original file of otel-examples and the given overrides. */
export async function startCollector(
  scope: Scope,
  { over = '{}', written = new OutputFile(), wrapper = [], env = {} }: CollectorOptions = {},
): Promise<Collector> {
  const configs = ['otel-examples/collector/collector.yaml', writeConfig(over)];
  const args = configs.flatMap((path) => ['--config', path]);
  const [first = '', ...words] = [...wrapper, peerPath('otelcol'), ...args];
  const program = startProgram(scope, [first, ...words], { ...env, OTLP_FILE: written.path });
  await program.waitFor(/Everything is ready/);
  return { ...program, written };
}
