import type { Attributes, Resource } from '../../src/model/series.js';

/**
 * Finds the machine's own resource among those of processes, containers and other machines: it has no identity,
 * says what receivers say of the machine, and has the fewest attributes of those that do.
 */
export class HostResource {
  readonly #named: Attributes;
  readonly #identity: readonly string[];
  #best: Attributes | undefined;

  /**
   * @param named what receivers say of the machine
   * @param identity attributes that a machine's resource does not have, save those that begin with `host.`
   */
  constructor(named: Attributes, identity: readonly string[]) {
    this.#named = named;
    this.#identity = identity.filter((key) => !key.startsWith('host.'));
  }

  get attributes(): Attributes {
    return this.#best ?? this.#named;
  }

  consider({ attributes }: Resource): void {
    if (this.#identity.some((key) => attributes[key] !== undefined)) return;
    if (this.#best === undefined || this.#isBetter(attributes, this.#best)) this.#best = attributes;
  }

  #isBetter(one: Attributes, other: Attributes): boolean {
    const [isOurs, isOtherOurs] = [this.#isOurs(one), this.#isOurs(other)];
    if (isOurs !== isOtherOurs) return isOurs;
    return Object.keys(one).length < Object.keys(other).length;
  }

  #isOurs(attributes: Attributes): boolean {
    return Object.entries(this.#named).every(([key, value]) => attributes[key] === value);
  }
}
