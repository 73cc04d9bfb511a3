import { readFileSync } from 'node:fs';
import type { Factories } from '../component/component.js';
import { createFinderFor, type FactoryFinder } from '../component/find.js';
import type { ComponentKind } from '../component/kinds.js';
import { findEntry, mergeNodes, nodeOf, plainOf, type ConfigNode } from '../config/node.js';
import { validateService, type ServiceConfig } from '../config/service.js';
import { warnOfUnset } from '../telemetry/write-message.js';
import { packageRoot } from '../version.js';

/** The sources of the configuration, in order: later ones override earlier ones. */
export interface ExecConfigSources {
  /** Paths of files. */
  readonly config: readonly string[];
  /** `a.b=c` each. */
  readonly set: readonly string[];
  /** Time between two readings of the CPU time; undefined: as configured. */
  readonly interval: string | undefined;
  /** File in which an agent keeps the floors that it learned; undefined: none. */
  readonly floor?: string | undefined;
}

/** The pipeline that the summary is made from. */
const pipelineId = 'metrics/exec';

/**
 * The configuration of `exec`: the machine's energy counters, if it has some that this user may read, or else
 * an estimate from CPU use. JSON, since the YAML parser would take a sixth of the time in which exec starts.
 */
const ownConfig = new URL('config/exec.json', packageRoot);

/** Components that `exec` provides. */
export interface OwnFactories {
  readonly command: Factories['receiver'];
  readonly summary: Factories['exporter'];
}

/**
 * Reads and validates the configuration of `exec`: its own, overridden by the user's.
 * @throws ConfigurationError
 */
export async function validateExecConfig(
  sources: ExecConfigSources,
  factories: OwnFactories,
): Promise<ServiceConfig> {
  const own = nodeOf(JSON.parse(readFileSync(ownConfig, 'utf8')));
  const merged = [await loadUserConfig(sources), createOverrides(sources)].reduce(mergeNodes, own);
  // A learned floor is that of one machine, which the processor names.
  const processors = sources.floor === undefined ? [] : ['resource'];
  const completed = completeExecPipeline(merged, processors);
  return validateService(completed, withOwn(factories, createFinderFor(sources.config)));
}

/** Whether the processor `attribution` shares idle energy among processes. */
export function isIdleShared({ processors }: ServiceConfig): boolean {
  return [...processors.values()].some(
    ({ type, settings }) => type === 'attribution' && settings['idle'] !== 'separate',
  );
}

async function loadUserConfig({ config, set }: ExecConfigSources): Promise<ConfigNode> {
  if (config.length === 0 && set.length === 0) return nodeOf({});
  const { loadConfig } = await import('../config/sources.js');
  return loadConfig({
    files: config,
    settings: set,
    context: { env: process.env, onUnset: warnOfUnset },
  });
}

function createOverrides({ interval, floor }: ExecConfigSources): ConfigNode {
  const command = { collection_interval: interval };
  const attribution = { state_file: floor, state_read_only: true };
  const none = nodeOf({});
  return mergeNodes(
    interval === undefined ? none : nodeOf({ receivers: { command } }, { source: `--interval ${interval}` }),
    floor === undefined
      ? none
      : nodeOf({ processors: { resource: null, attribution } }, { source: `--floor ${floor}` }),
  );
}

function withOwn({ command, summary }: OwnFactories, finder: FactoryFinder): FactoryFinder {
  return {
    list: (kind) => finder.list(kind),
    findReplacement: (kind, type) => finder.findReplacement(kind, type),
    describeSearch: (kind, type) => finder.describeSearch(kind, type),
    find<Kind extends ComponentKind>(kind: Kind, type: string): Promise<Factories[Kind] | undefined> {
      const own: Partial<Factories> = {
        ...(type === 'command' && { receiver: command }),
        ...(type === 'summary' && { exporter: summary }),
      };
      return own[kind] ? Promise.resolve(own[kind]) : finder.find(kind, type);
    },
  };
}

/**
 * Makes sure that the pipeline of `exec` has what the summary needs, however a file has changed it, and adds
 * every exporter that no pipeline uses: a file with only an exporter is enough.
 * @param processors that come first
 */
export function completeExecPipeline(root: ConfigNode, processors: readonly string[] = []): ConfigNode {
  const pipelines = findEntry(findEntry(root, 'service')?.node, 'pipelines')?.node;
  const pipeline = findEntry(pipelines, pipelineId)?.node;
  const completed = {
    ...complete(pipeline, 'receivers', ['command']),
    ...(processors.length > 0 ? complete(pipeline, 'processors', processors) : {}),
    ...complete(pipeline, 'exporters', ['summary', ...findUnusedExporters(root, pipelines)]),
  };
  return mergeNodes(root, nodeOf({ service: { pipelines: { [pipelineId]: completed } } }));
}

/** Anything but a list is kept, to be validated with everything else. */
function complete(pipeline: ConfigNode | undefined, key: string, wanted: readonly string[]): object {
  const written = findEntry(pipeline, key)?.node;
  if (written !== undefined && written.kind !== 'list') return {};
  return { [key]: [...new Set([...wanted, ...listOf(pipeline, key)])] };
}

function findUnusedExporters(root: ConfigNode, pipelines: ConfigNode | undefined): readonly string[] {
  const used = new Set(entriesOf(pipelines).flatMap(([, node]) => listOf(node, 'exporters')));
  const configured = entriesOf(findEntry(root, 'exporters')?.node).map(([id]) => id);
  return configured.filter((id) => !used.has(id));
}

function entriesOf(node: ConfigNode | undefined): readonly (readonly [string, ConfigNode])[] {
  if (node?.kind !== 'map') return [];
  return [...node.entries].map(([key, entry]) => [key, entry.node]);
}

/** The texts in a list; other items are reported when the list is validated. */
function listOf(node: ConfigNode | undefined, key: string): readonly string[] {
  const list = findEntry(node, key)?.node;
  const plain = list?.kind === 'list' ? plainOf(list) : [];
  return Array.isArray(plain) ? plain.filter((item) => typeof item === 'string') : [];
}
