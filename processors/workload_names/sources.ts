import type { Context } from '../../src/component/component.js';
import { readTimeout, sourceNames, type Config, type SourceName } from './config.js';
import { Cri } from './cri.js';
import { Engine } from './engine.js';
import { findApiServer, findKubelet } from './kubernetes.js';
import type { Lookup, NameSource } from './lookup.js';
import { Slurm } from './slurm.js';
import { findSocketOwner, SocketFinder, usualSockets } from './sockets.js';
import { Source, type Backend } from './source.js';
import type { Discover, RankedSource } from './source-list.js';

/** Dependencies of sources. */
interface Settings {
  readonly config: Config;
  readonly context: Context;
  /** Sockets that were found, by any source. */
  readonly known: Set<string>;
}

/** Finds new sources for some ids. */
type Find = (lookups: readonly Lookup[]) => readonly NameSource[];

type Finder = (settings: Settings) => Find;

/** Finds the sources that are configured, and with `auto` those that are present. */
export function createDiscovery(config: Config, context: Context): Discover {
  const settings = { config, context, known: new Set<string>() };
  const discoveries = sourceNames
    .filter((name) => isUsed(name, config))
    .map((name) => ({ rank: sourceNames.indexOf(name), find: finders[name](settings) }));
  return (lookups) =>
    discoveries.flatMap(({ rank, find }) => find(lookups).map((source): RankedSource => ({ rank, source })));
}

function isUsed(name: SourceName, { sources }: Config): boolean {
  return sources.includes(name) || (sources.includes('auto') && name !== 'kubelet');
}

const finders: Readonly<Record<SourceName, Finder>> = {
  docker: (settings) => findEngines('docker', settings),
  podman: (settings) => findEngines('podman', settings),
  api_server: ({ config, context }) => once(() => findApiServer(config, context)),
  kubelet: ({ config, context }) => once(() => findKubelet(config, context)),
  cri: (settings) => {
    const { labels, annotations } = settings.config;
    const timeoutMs = readTimeout(settings.config);
    return findSockets('cri', settings, (socket) => new Cri({ socket, labels, annotations, timeoutMs }));
  },
  slurm: ({ config, context }) => {
    const slurm = new Slurm(config.slurm);
    const create = once(() => [new Source(slurm, context.log)]);
    // No file shows reliably whether a machine belongs to a cluster: its jobs do.
    const isNamed = config.sources.includes('slurm');
    return (lookups) => (isNamed || lookups.some((lookup) => slurm.covers(lookup)) ? create() : []);
  },
};

function findEngines(name: 'docker' | 'podman', settings: Settings): Find {
  const product = name === 'docker' ? 'Docker' : 'Podman';
  const { labels } = settings.config;
  const timeoutMs = readTimeout(settings.config);
  // A socket that was found, not configured, may belong to a user, whose answers may contain anything.
  const isConfigured = settings.config[name].sockets.length > 0;
  const findOwner = (socket: string) => (isConfigured ? undefined : findSocketOwner(socket));
  return findSockets(
    name,
    settings,
    (socket) => new Engine({ product, socket, labels, timeoutMs, ownerUid: findOwner(socket) }),
  );
}

/** Configured sockets are used in any case; default ones only if they exist. */
function findSockets(
  name: keyof typeof usualSockets,
  { config, context, known }: Settings,
  open: (socket: string) => Backend,
): Find {
  const create = (socket: string) => new Source(open(socket), context.log);
  const { sockets } = config[name];
  if (sockets.length > 0) return once(() => sockets.map(create));
  const finder = new SocketFinder(usualSockets[name], known);
  return () => finder.find().map(create);
}

function once(create: () => readonly NameSource[]): () => readonly NameSource[] {
  let isDone = false;
  return () => {
    if (isDone) return [];
    isDone = true;
    return create();
  };
}
