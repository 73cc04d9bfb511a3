import { createPlans } from '../../src/model/plan.js';
import type { Attributes, Resource } from '../../src/model/series.js';

/** Takes from resources what becomes labels. */
export interface Identity {
  /** The attributes of the allow-list, save those that the machine itself has. Made once per resource. */
  of(resource: Resource): Attributes;
}

/**
 * @param allowed names of attributes
 * @param named what receivers say of the machine
 */
export function createIdentity(allowed: readonly string[], named: Attributes): Identity {
  const of = createPlans(({ attributes }: Resource): Attributes => {
    const names = allowed.filter(
      (name) => attributes[name] !== undefined && attributes[name] !== named[name],
    );
    return pick(attributes, names);
  });
  return { of };
}

/** The attributes of one resource that another one does not have, or has with another value. */
export function findDifference({ attributes }: Resource, other: Resource): Attributes {
  const names = Object.keys(attributes).filter((name) => attributes[name] !== other.attributes[name]);
  return pick(attributes, names);
}

function pick(attributes: Attributes, names: readonly string[]): Attributes {
  return Object.fromEntries(names.map((name) => [name, attributes[name]]));
}
