/**
 * Which domains contain a domain, the nearest first, by the keys of claims without `energy/`. A number stands for the socket
 * or module of the domain itself; a container without one is the only one of its kind. Rails have no place of their own: the
 * receiver that reads them knows what feeds them.
 */
const containers: readonly (readonly [domain: RegExp, containers: readonly string[]])[] = [
  [/^cpu\/(\d+)$/u, ['module/$1', 'psys/$1', 'psys/0', 'host']],
  // A die within its package, and what belongs to a die or a package.
  [/^cpu\/(\d+)\/\d+$/u, ['cpu/$1', 'module/$1', 'psys/$1', 'psys/0', 'host']],
  [/^(?:core|uncore|memory)\/(\d+)$/u, ['cpu/$1', 'module/$1', 'psys/$1', 'psys/0', 'host']],
  [
    /^(?:core|uncore|memory)\/(\d+)\/(\d+)$/u,
    ['cpu/$1/$2', 'cpu/$1', 'module/$1', 'psys/$1', 'psys/0', 'host'],
  ],
  // Whether psys includes GPUs differs by machine. A module of NVIDIA's holds its GPU.
  [/^gpu(?:\/.*)?$/u, ['module', 'host']],
  [/^(?:psys|module)\/\d+$/u, ['host']],
];

/** @param key as in `energy/<key>` of a claim; one that is not known is within the host */
export function listContainers(key: string): readonly string[] {
  if (key === 'host') return [];
  for (const [domain, names] of containers) {
    if (domain.test(key)) return names.map((name) => key.replace(domain, name));
  }
  return ['host'];
}

/** Where a meter is in the tree of domains. */
export interface Place {
  /** The `hw.id` of its series. */
  readonly id: string;
  /** What it measures, as in `energy/<key>`; undefined: nothing that has parts. */
  readonly key?: string;
  /** Keys of what contains it, the nearest first; undefined: those that contain its key. */
  readonly within?: readonly string[];
}

/** The meters of one collector, whichever receivers they are of: each names the nearest that contains it as its parent. */
export class DomainTree {
  readonly #ownerOf: (key: string) => string | undefined;
  /** By `hw.id`. */
  readonly #places = new Map<string, Place>();
  /** By what they measure, then by receiver. */
  readonly #idsByKey = new Map<string, Map<string, string>>();

  /** @param ownerOf the receiver that publishes the energy of a domain; undefined: there is none */
  constructor(ownerOf: (key: string) => string | undefined) {
    this.#ownerOf = ownerOf;
  }

  place(receiverId: string, place: Place): void {
    this.#places.set(place.id, place);
    if (place.key === undefined) return;
    const ids = this.#idsByKey.get(place.key) ?? new Map<string, string>();
    if (!ids.has(receiverId)) ids.set(receiverId, place.id);
    this.#idsByKey.set(place.key, ids);
  }

  /** The receiver has stopped: its meters contain nothing any more. */
  release(receiverId: string): void {
    for (const [key, ids] of this.#idsByKey) {
      ids.delete(receiverId);
      if (ids.size === 0) this.#idsByKey.delete(key);
    }
  }

  /** @returns the `hw.id` of the meter of what contains the one with this `hw.id` */
  parentOf(id: string): string | undefined {
    const place = this.#places.get(id);
    if (place === undefined) return undefined;
    const within = place.within ?? (place.key === undefined ? [] : listContainers(place.key));
    for (const key of within) {
      const found = this.#findMeter(key);
      if (found !== undefined && found !== id) return found;
    }
    return undefined;
  }

  /** Of several meters of one domain, that whose energy is published as the domain's. */
  #findMeter(key: string): string | undefined {
    const ids = this.#idsByKey.get(key) ?? this.#findOnly(`${key}/`);
    const owner = this.#ownerOf(key);
    return (owner === undefined ? undefined : ids?.get(owner)) ?? ids?.values().next().value;
  }

  #findOnly(prefix: string): Map<string, string> | undefined {
    const [only, ...others] = [...this.#idsByKey].filter(([key]) => key.startsWith(prefix));
    return others.length === 0 ? only?.[1] : undefined;
  }
}
