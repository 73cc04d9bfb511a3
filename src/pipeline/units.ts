import { isDeepStrictEqual } from 'node:util';
import type { ComponentStatus } from '../component/agent-control.js';
import type { ComponentConfig } from '../config/components.js';
import { listReferences } from '../config/references.js';
import type { ServiceConfig } from '../config/service.js';

/** The kinds that are not receivers. */
export type UnitKind = 'extension' | 'exporter' | 'processor';

/** A component in a configuration: an extension, an exporter, or a processor of one pipeline. */
export interface WantedUnit {
  /** Equal if a component in one configuration replaces one in another. */
  readonly key: string;
  readonly config: ComponentConfig<'extension'> | ComponentConfig<'exporter'> | ComponentConfig<'processor'>;
  /** Ids of the pipelines that use it. */
  readonly pipelines: readonly string[];
}

/**
 * The components of a configuration except receivers, in start order: extensions, exporters, and processors,
 * last stage first.
 */
export function listWanted(config: ServiceConfig): readonly WantedUnit[] {
  const extensions = config.runningExtensions.flatMap((id) => {
    const found = config.extensions.get(id);
    return found ? [{ key: extensionKey(id), config: found, pipelines: [] }] : [];
  });
  const exporterIds = new Set(config.pipelines.flatMap(({ exporters }) => exporters));
  const exporters = [...exporterIds].map((id) => ({
    key: exporterKey(id),
    config: find(config.exporters, id),
    pipelines: config.pipelines.filter((one) => one.exporters.includes(id)).map((one) => one.id),
  }));
  const processors = config.pipelines.flatMap((pipeline) =>
    listProcessorKeys(pipeline)
      .map((key, i) => ({ key, id: pipeline.processors[i] ?? '' }))
      .map(({ key, id }) => ({ key, config: find(config.processors, id), pipelines: [pipeline.id] }))
      .toReversed(),
  );
  return [...extensions, ...exporters, ...processors];
}

/** Sorts statuses by the configuration: receivers, processors and exporters along the pipelines, then extensions. */
export function sortAlongPipelines(
  statuses: readonly ComponentStatus[],
  { pipelines, runningExtensions }: Pick<ServiceConfig, 'pipelines' | 'runningExtensions'>,
): readonly ComponentStatus[] {
  const keys = [
    ...pipelines.flatMap(({ receivers }) => receivers.map((id) => `receiver ${id}`)),
    ...pipelines.flatMap((one) => one.processors.map((id) => `processor ${id} ${one.id}`)),
    ...pipelines.flatMap(({ exporters }) => exporters.map(exporterKey)),
    ...runningExtensions.map(extensionKey),
  ];
  const places = new Map(keys.toReversed().map((key, i) => [key, -i]));
  const placeOf = ({ kind, id, pipelines: [first] }: ComponentStatus) =>
    places.get(kind === 'processor' ? `processor ${id} ${first}` : `${kind} ${id}`) ?? 1;
  return statuses.toSorted((a, b) => placeOf(a) - placeOf(b));
}

export function extensionKey(id: string): string {
  return `extension ${id}`;
}

export function exporterKey(id: string): string {
  return `exporter ${id}`;
}

/** The keys of a pipeline's processors, in order. A processor may occur twice. */
export function listProcessorKeys({
  id: pipeline,
  processors,
}: Pick<ServiceConfig['pipelines'][number], 'id' | 'processors'>): readonly string[] {
  return processors.map((id, i) => {
    const before = processors.slice(0, i).filter((other) => other === id).length;
    return `processor ${id} ${before} ${pipeline}`;
  });
}

function find<Value>(known: ReadonlyMap<string, Value>, id: string): Value {
  const value = known.get(id);
  if (value === undefined)
    throw new Error(`Cannot build the pipelines: expected a component "${id}", found none`);
  return value;
}

/** Whether a component can continue unchanged from one configuration to another. */
export function isSameComponent(one: ComponentConfig, other: ComponentConfig): boolean {
  return one.factory === other.factory && isDeepStrictEqual(one.settings, other.settings);
}

/** Whether two configurations have the same components and connections. */
export function isSameService(one: ServiceConfig, other: ServiceConfig): boolean {
  return (
    isDeepStrictEqual(one.pipelines, other.pipelines) &&
    areSame(listWanted(one), listWanted(other)) &&
    areSame(listReceivers(one), listReceivers(other))
  );
}

type Listed = Pick<WantedUnit, 'key'> & { readonly config: ComponentConfig };

function areSame(ones: readonly Listed[], others: readonly Listed[]): boolean {
  return (
    ones.length === others.length &&
    ones.every(({ key, config }, i) => {
      const other = others[i];
      return (
        other?.key === key &&
        isSameComponent(config, other.config) &&
        isDeepStrictEqual(config.keys, other.config.keys)
      );
    })
  );
}

/** The receivers that a pipeline names. */
function listReceivers({ receivers, pipelines }: ServiceConfig): readonly Listed[] {
  const named = new Set(pipelines.flatMap((pipeline) => pipeline.receivers));
  return [...receivers.values()]
    .filter(({ id }) => named.has(id))
    .map((config) => ({ key: config.id, config }));
}

/** The change from the running components to those of a configuration. */
export interface Change<Running extends WantedUnit> {
  /** Started before anything is stopped: they claim nothing that a leaving component may hold. */
  readonly early: readonly WantedUnit[];
  /** Started when the leaving components have stopped. */
  readonly late: readonly WantedUnit[];
  readonly stopping: readonly Running[];
  /** Exporters that are stopped while the others run: they may deliver for seconds. */
  readonly leaving: readonly Running[];
}

/**
 * Compares the running components with those of a configuration. A component continues if its settings and the
 * extensions that they name are unchanged.
 */
export function compareUnits<Running extends WantedUnit>(
  running: ReadonlyMap<string, Running>,
  wanted: readonly WantedUnit[],
): Change<Running> {
  const kept = new Set<string>();
  for (const { key, config } of wanted) {
    const former = running.get(key);
    if (former === undefined || !isSameComponent(former.config, config)) continue;
    const references = listReferences(config.factory.schema, config.settings).map(extensionKey);
    if (references.every((extension) => kept.has(extension))) kept.add(key);
  }
  const starting = wanted.filter(({ key }) => !kept.has(key));
  const ending = [...running.values()].filter(({ key }) => !kept.has(key));
  const early = starting.filter((one) => isHardwareDomain(one, ending));
  const late = starting.filter((one) => !early.includes(one));
  const leaving = ending.filter((one) => one.config.kind === 'exporter' && isHardwareDomain(one, starting));
  return { early, late, stopping: ending.filter((one) => !leaving.includes(one)), leaving };
}

/**
 * Whether a component cannot conflict with others over a resource such as a file or an address. Processors
 * never do.
 */
function isHardwareDomain({ config }: WantedUnit, others: readonly WantedUnit[]): boolean {
  if (config.kind === 'processor' || listReferences(config.factory.schema, config.settings).length > 0)
    return false;
  const ports = listPorts(config);
  return others.every(
    (other) =>
      other.config.kind === 'processor' ||
      (other.config.type !== config.type && listPorts(other.config).every((port) => !ports.includes(port))),
  );
}

function listPorts({ factory, settings }: WantedUnit['config']): readonly string[] {
  return (factory.listensAt?.(settings) ?? []).map((address) => address.slice(address.lastIndexOf(':')));
}
