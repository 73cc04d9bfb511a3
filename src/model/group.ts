import type { AnySeries, Attributes, AttributeValue, Resource } from './series.js';

/** The identity of several series that are grouped by some of their attributes. */
export interface GroupIdentity {
  readonly resource: Resource;
  readonly attributes: Attributes;
}

/** An attribute of a series or, if it has none with that name, of its resource. */
export function findAttribute(
  { attributes, resource }: Pick<AnySeries, 'attributes' | 'resource'>,
  name: string,
): AttributeValue | undefined {
  return attributes[name] ?? resource.attributes[name];
}

/** Whether a series or its resource has all of these attributes, with these values as text. */
export function hasAttributes(
  series: Pick<AnySeries, 'attributes' | 'resource'>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([name, value]) => String(findAttribute(series, name)) === value);
}

/**
 * The identity of the group that a series belongs to. Attributes of the series remain its attributes;
 * attributes of the resource are added to those of the host, which is the resource of groups without any.
 * @param names the attributes by which series are grouped
 */
export function describeGroup(
  { resource: { attributes: ofResource }, attributes: own }: Pick<AnySeries, 'attributes' | 'resource'>,
  names: readonly string[],
  host: Resource,
): GroupIdentity {
  const attributes = pick(own, names);
  const shared = pick(
    ofResource,
    names.filter((name) => !(name in own)),
  );
  const isHost = Object.keys(shared).length === 0;
  const resource = isHost ? host : { attributes: { ...host.attributes, ...shared } };
  return { resource, attributes };
}

function pick(from: Attributes, names: readonly string[]): Attributes {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = from[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
