import { writeConfig } from '../agent.js';
import { OutputFile } from './output-file.js';
import { peerPath } from './peers.js';
import { startProgram, type Program, type Scope } from './program.js';

/** A running Collector. */
export interface Collector extends Program {
  /** What its file exporter writes. */
  readonly written: OutputFile;
}

export interface CollectorOptions {
  /** Laid over the example's configuration. */
  readonly over?: string;
  /** Where its file exporter writes; a new file unless given. */
  readonly written?: OutputFile;
  /** Words before its command, say to run it in another network. */
  readonly wrapper?: readonly string[];
  /** Variables of the example's configuration. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a Collector with the very file of otel-examples, and what is laid over it. */
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
