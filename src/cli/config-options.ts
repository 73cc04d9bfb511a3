import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ParseArgsConfig } from 'node:util';
import { createFinderFor, type FactoryFinder } from '../component/find.js';
import { nodeOf, type ConfigNode } from '../config/node.js';
import { validateService, type ServiceConfig } from '../config/service.js';
import { warnOfUnset } from '../telemetry/write-message.js';
import { packageRoot } from '../version.js';

/** Options for the configuration that several commands share. */
export interface ConfigOptions {
  /** Paths of `--config`, in order. Empty: the embedded default. */
  readonly config: readonly string[];
  /** `a.b=c` of `--set`, in order. */
  readonly set: readonly string[];
}

export const configOptions = {
  config: { type: 'string', short: 'c', multiple: true },
  set: { type: 'string', multiple: true },
} as const satisfies NonNullable<ParseArgsConfig['options']>;

/** The lines of a usage text that explain the shared options. */
export const configUsage = `  -c, --config FILE     YAML file in the format of the OpenTelemetry Collector.
                        Repeat it to merge files; later ones override earlier
                        ones. Without it: the built-in default configuration.
      --set PATH=VALUE  override one setting, for example
                        receivers.process.collection_interval=5s`;

/** The configuration that is used when the user names none. */
const defaultConfigPath = fileURLToPath(new URL('config/default.yaml', packageRoot));

/** The same as JSON in the published package: the YAML parser takes 1 MB and a tenth of the start time. */
const defaultConfigJson = new URL('dist/default-config.json', packageRoot);

/**
 * Reads the configuration that the options name.
 * @throws ConfigurationError
 */
export async function loadConfigOf({ config, set }: ConfigOptions): Promise<ConfigNode> {
  const isDefault = config.length + set.length === 0;
  if (isDefault && existsSync(defaultConfigJson))
    return nodeOf(JSON.parse(readFileSync(defaultConfigJson, 'utf8')));
  const { loadConfig } = await import('../config/sources.js');
  const files = config.length > 0 ? config : [defaultConfigPath];
  return loadConfig({ files, settings: set, context: { env: process.env, onUnset: warnOfUnset } });
}

/**
 * Reads and validates the configuration that the options name.
 * @throws ConfigurationError
 */
export async function validateConfigOf(
  options: ConfigOptions,
  finder: FactoryFinder = createFinderFor(options.config),
): Promise<ServiceConfig> {
  return validateService(await loadConfigOf(options), finder);
}
