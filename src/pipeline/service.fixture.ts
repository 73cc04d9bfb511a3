import { setTimeout } from 'node:timers/promises';
import type { Claims } from '../component/claims.js';
import type { Consumer } from '../component/consumer.js';
import { createFakeContext, createLogCollector, type LogCollector } from '../component/fakes.js';
import type { FactoryFinder } from '../component/find.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { nodeOf } from '../config/node.js';
import { validateService } from '../config/service.js';
import type { Table } from '../model/table.js';
import { busyTime } from '../model/usage-metrics.js';
import type { Environment } from './graph.js';
import { Service } from './service.js';

/** Components that record their calls. */
export interface World {
  /** The calls, in order. */
  readonly events: string[];
  readonly entries: Map<string, Consumer>;
  /** The claims of receivers. */
  readonly claims: Map<string, Claims>;
  /** Tables that exporters received. */
  readonly tables: Table[];
  /** Ids of components that cannot start at present. */
  readonly lacks: Set<string>;
  /** Time limit in milliseconds that each had to stop. */
  readonly limits: Map<string, number>;
  readonly log: LogCollector;
  readonly finder: FactoryFinder;
}

const schema = {
  missing: { doc: 'Whether the source is missing.', format: 'boolean', default: false },
  broken: { doc: 'Whether it cannot start.', format: 'boolean', default: false },
  partial: { doc: 'Whether it lacks its main thing.', format: 'boolean', default: false },
  throwing: { doc: 'Whether it throws at every table.', format: 'boolean', default: false },
  hanging: { doc: 'Whether it never stops.', format: 'boolean', default: false },
  storage: {
    doc: 'The extension that it needs.',
    format: 'string',
    default: null,
    references: 'extension',
  },
  note: { doc: 'Changes nothing.', format: 'string', default: '' },
  adding: { doc: 'Whether it adds a series.', format: 'boolean', default: false },
  slow: { doc: 'Whether it takes a moment to stop.', format: 'boolean', default: false },
} as const satisfies Schema;

type Settings = ConfigOf<typeof schema>;

export function createWorld(): World {
  const events: string[] = [];
  const entries = new Map<string, Consumer>();
  const limits = new Map<string, number>();
  const claims = new Map<string, Claims>();
  const tables: Table[] = [];
  const lacks = new Set<string>();
  const component = (name: string, settings: Settings, next?: Consumer) => ({
    isPartial: settings.partial,
    start() {
      events.push(`start ${name}`);
      if (settings.broken) throw new Error('no luck');
      if (lacks.has(name)) throw new Error('not now');
    },
    flush: () => void events.push(`flush ${name}`),
    async shutdown(timeoutMs = NaN) {
      events.push(`stop ${name}`);
      limits.set(name, timeoutMs);
      if (settings.hanging) await new Promise(() => {});
      if (!settings.slow) return;
      await setTimeout(10);
      events.push(`drained ${name}`);
    },
    consume(table: Table) {
      if (table.values.length > 0 || table.series.length > 0 || table.ended?.length === 0)
        events.push(`table at ${name}`);
      if (settings.throwing) throw new Error('bad data');
      if (!next) tables.push(table);
      return next ? next.consume(settings.adding ? addColumn(table, name) : table) : true;
    },
  });
  const factories = {
    receiver: {
      schema,
      metrics: [],
      probe: (config: Settings) => ({
        available: !config.missing,
        found: config.missing ? 'no meter' : 'a meter',
        remedies: config.missing ? [{ missing: 'a driver', command: 'modprobe meter' }] : [],
      }),
      create(config: Settings, { id, claims: own }: { id: string; claims: Claims }, next: Consumer) {
        entries.set(id, next);
        claims.set(id, own);
        return component(id, config);
      },
    },
    processor: {
      schema,
      create: (config: Settings, { id }: { id: string }, next: Consumer) => component(id, config, next),
    },
    exporter: { schema, create: (config: Settings, { id }: { id: string }) => component(id, config) },
    extension: { schema, create: (config: Settings, { id }: { id: string }) => component(id, config) },
  };
  // The schema above gives these factories exactly the settings that they need.
  const finder = {
    list: () => [],
    find: (kind: keyof typeof factories, type: string) =>
      Promise.resolve(type === 'usage' ? { ...factories.receiver, metrics: [busyTime] } : factories[kind]),
  } as unknown as FactoryFinder;
  return { events, entries, claims, limits, tables, lacks, log: createLogCollector(), finder };
}

export async function createService(
  world: World,
  config: object,
  context = createFakeContext(),
  owner: Pick<
    Environment,
    'onShutdownRequest' | 'loadConfig' | 'changeTelemetry' | 'onReloading' | 'onReloaded'
  > = {},
): Promise<Service> {
  const { clock, meter, host, sampling } = context;
  const validated = await validateService(nodeOf(config), world.finder);
  return new Service(validated, {
    clock,
    meter,
    host,
    sampling: { ...sampling },
    logFor: () => world.log,
    ...owner,
  });
}

/** A table of one row with an additional series. */
function addColumn(table: Table, share: string): Table {
  const [first] = table.series;
  if (first === undefined) return table;
  const added = { ...first, attributes: { share } };
  return { ...table, series: [...table.series, added], values: Float64Array.of(...table.values, 1) };
}

/** A running service whose configuration can be rewritten. */
export async function startReloadable(world: World, first: object) {
  let written = first;
  const loadConfig = () => validateService(nodeOf(written), world.finder);
  const service = await createService(world, first, createFakeContext(), { loadConfig });
  await service.start();
  world.events.length = 0;
  const reload = (next: object = written) => {
    written = next;
    return service.reload();
  };
  return { service, reload };
}

export const config = {
  receivers: { meter: {} },
  processors: { share: {} },
  exporters: { file: {}, web: {} },
  extensions: { health: {} },
  service: {
    extensions: ['health'],
    pipelines: {
      metrics: { receivers: ['meter'], processors: ['share'], exporters: ['file', 'web'] },
      'metrics/raw': { receivers: ['meter'], exporters: ['file'] },
    },
  },
};
