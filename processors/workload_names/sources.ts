import type { Context } from '../../src/component/component.js';
import { sourceNames, type Config, type SourceName } from './config.js';
import { Cri } from './cri.js';
import { Engine } from './engine.js';
import { Slurm } from './slurm.js';
import { Source, type Backend } from './source.js';
import { SocketFinder, usualSockets } from './sockets.js';
import type { Discover, RankedSource } from './source-list.js';

/** Finds the sources that are configured, and those that are present where `auto` is. */
export function createDiscovery(config: Config, { log }: Context): Discover {
  const known = new Set<string>();
  const discoveries = sourceNames
    .filter((name) => isUsed(name, config))
    .map((name) => ({ name, find: finders[name](config, known) }));
  return () =>
    discoveries.flatMap(({ name, find }) =>
      find().map((backend): RankedSource => ({
        rank: sourceNames.indexOf(name),
        source: new Source(backend, log),
      })),
    );
}

function isUsed(name: SourceName, { sources }: Config): boolean {
  return sources.includes(name) || sources.includes('auto');
}

/** @returns what finds backends that were not found before */
type Finder = (config: Config, known: Set<string>) => () => readonly Backend[];

const finders: Readonly<Record<SourceName, Finder>> = {
  docker: (config, known) => findEngines('Docker', config, known),
  podman: (config, known) => findEngines('Podman', config, known),
  cri: ({ cri, labels, annotations, max_wait: timeoutMs }, known) =>
    findSockets(
      cri.sockets,
      { usual: usualSockets.cri, known },
      (socket) => new Cri({ socket, labels, annotations, timeoutMs }),
    ),
  slurm: ({ slurm }) => once(() => [new Slurm(slurm)]),
};

function findEngines(product: 'Docker' | 'Podman', config: Config, known: Set<string>) {
  const name = product === 'Docker' ? 'docker' : 'podman';
  const open = (socket: string) =>
    new Engine({ product, socket, labels: config.labels, timeoutMs: config.max_wait });
  const { sockets } = config[name];
  return findSockets(sockets, { usual: usualSockets[name], known }, open);
}

interface SocketSearch {
  readonly usual: readonly string[];
  readonly known: Set<string>;
}

/** Configured sockets are used whether they are there or not; usual ones when they are. */
function findSockets(
  configured: readonly string[],
  { usual, known }: SocketSearch,
  open: (socket: string) => Backend,
): () => readonly Backend[] {
  if (configured.length > 0) return once(() => configured.map(open));
  const finder = new SocketFinder(usual, known);
  return () => finder.find().map(open);
}

function once(create: () => readonly Backend[]): () => readonly Backend[] {
  let isDone = false;
  return () => {
    if (isDone) return [];
    isDone = true;
    return create();
  };
}
