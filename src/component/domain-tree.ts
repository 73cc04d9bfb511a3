/**
 * Which domains contain a domain, the nearest first, by claim key without `energy/`. A number is replaced by
 * the socket or module of the domain; a container without a number is the only one of its kind. Rails are not
 * listed: the receiver that reads them knows what supplies them.
 */
const containers: readonly (readonly [domain: RegExp, containers: readonly string[]])[] = [
  [/^cpu\/(\d+)$/u, ['module/$1', 'psys/$1', 'psys/0', 'host']],
  // A die is in its package; a part of a die or package is in both.
  [/^cpu\/(\d+)\/\d+$/u, ['cpu/$1', 'module/$1', 'psys/$1', 'psys/0', 'host']],
  [/^(?:core|uncore|memory)\/(\d+)$/u, ['cpu/$1', 'module/$1', 'psys/$1', 'psys/0', 'host']],
  [
    /^(?:core|uncore|memory)\/(\d+)\/(\d+)$/u,
    ['cpu/$1/$2', 'cpu/$1', 'module/$1', 'psys/$1', 'psys/0', 'host'],
  ],
  // Whether psys includes GPUs depends on the machine. An NVIDIA module contains its GPU.
  [/^gpu(?:\/.*)?$/u, ['module', 'host']],
  [/^(?:psys|module)\/\d+$/u, ['host']],
];

/** @param key as in `energy/<key>` of a claim; unknown keys are within the host */
export function listContainers(key: string): readonly string[] {
  if (key === 'host') return [];
  for (const [domain, names] of containers) {
    if (domain.test(key)) return names.map((name) => key.replace(domain, name));
  }
  return ['host'];
}

/** The position of a meter in the tree of domains. */
export interface Place {
  /** The `hw.id` of its series. */
  readonly id: string;
  /** What it measures, as in `energy/<key>`; undefined: a domain without parts. */
  readonly key?: string;
  /** Keys of the enclosing domains, nearest first; undefined: the default ones of its key. */
  readonly within?: readonly string[];
}

/** The meters of all receivers of a collector: each gets the nearest meter that contains it as its parent. */
export class DomainTree {
  readonly #ownerOf: (key: string) => string | undefined;
  /** By `hw.id`. */
  readonly #places = new Map<string, Place>();
  /** By measured domain, then by receiver. */
  readonly #idsByKey = new Map<string, Map<string, string>>();

  /** @param ownerOf the receiver that publishes the energy of a domain; undefined: no receiver does */
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

  /** The receiver has stopped: its meters are no longer parents. */
  release(receiverId: string): void {
    for (const [key, ids] of this.#idsByKey) {
      ids.delete(receiverId);
      if (ids.size === 0) this.#idsByKey.delete(key);
    }
  }

  /** @returns the `hw.id` of the nearest meter that contains the given one */
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

  /** Of several meters of one domain, the one whose energy is published as that of the domain. */
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
