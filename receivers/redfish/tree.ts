import { StatusError } from '../../src/http/get.js';
import { objectOf, objectsOf, type JsonObject } from '../../src/recording/otlp-json.js';
import type { RedfishClient } from './redfish-client.js';

/** A chassis, and the locations of its measurements. */
export interface Chassis {
  readonly path: string;
  readonly id: string;
  readonly name: string | undefined;
  /** The path of the chassis that contains it. */
  readonly parent: string | undefined;
  /** By the names of the linking properties. */
  readonly links: Readonly<Record<(typeof resources)[number], string | undefined>>;
  readonly supplies: readonly Supply[];
  /** The fan collection of its ThermalSubsystem, and the paths of its members. */
  readonly fans: { readonly path: string; readonly members: readonly string[] } | undefined;
}

/** A power supply of a PowerSubsystem. */
export interface Supply {
  readonly resource: JsonObject;
  /** The path of its metrics. */
  readonly metrics: string | undefined;
}

/** A processor or accelerator with measurements of its own. */
export interface Processor {
  readonly id: string;
  readonly name: string | undefined;
  /** `hw.type` */
  readonly type: 'cpu' | 'gpu';
  /** The path of its system's chassis. */
  readonly chassis: string;
  readonly metrics: string;
}

const resources = [
  'EnvironmentMetrics',
  'PowerSubsystem',
  'ThermalSubsystem',
  'Power',
  'Thermal',
  'Sensors',
] as const;
const maxMembers = 256;
/** Maximum members of a collection over all its pages. */
const maxListed = 4096;

/** Every chassis of a BMC. */
export async function readTree(
  client: RedfishClient,
  root: JsonObject,
  signal: AbortSignal,
): Promise<readonly Chassis[]> {
  const collection = linkOf(root, 'Chassis') ?? '/redfish/v1/Chassis';
  const chassis: Chassis[] = [];
  for (const path of await listPaths(client, await client.read(collection, signal), signal)) {
    const resource = await readIfThere(client, path, signal);
    if (resource) chassis.push(await describeChassis(client, path, resource, signal));
  }
  return chassis;
}

/** The processors of all systems that have metrics of their own and a known chassis. */
export async function readProcessors(
  client: RedfishClient,
  root: JsonObject,
  signal: AbortSignal,
): Promise<readonly Processor[]> {
  const path = linkOf(root, 'Systems');
  const systems = path === undefined ? undefined : await readIfThere(client, path, signal);
  const processors: Processor[] = [];
  for (const member of systems ? await listPaths(client, systems, signal) : []) {
    const system = await readIfThere(client, member, signal);
    if (system) processors.push(...(await readProcessorsOf(client, system, signal)));
  }
  return processors;
}

async function readProcessorsOf(
  client: RedfishClient,
  system: JsonObject,
  signal: AbortSignal,
): Promise<readonly Processor[]> {
  const [chassis] = objectsOf(objectOf(system['Links'])['Chassis']).flatMap((one) => pathOf(one) ?? []);
  const path = linkOf(system, 'Processors');
  if (chassis === undefined || path === undefined) return [];
  const collection = await readIfThere(client, path, signal);
  const processors: Processor[] = [];
  for (const member of collection ? await listPaths(client, collection, signal) : []) {
    const {
      Id: id,
      Name: name,
      ProcessorType: type,
      ...processor
    } = (await readIfThere(client, member, signal)) ?? {};
    const metrics = linkOf(processor, 'EnvironmentMetrics');
    if (metrics === undefined || typeof id !== 'string') continue;
    const named = typeof name === 'string' ? name : undefined;
    processors.push({ id, name: named, type: type === 'GPU' ? 'gpu' : 'cpu', chassis, metrics });
  }
  return processors;
}

async function describeChassis(
  client: RedfishClient,
  path: string,
  resource: JsonObject,
  signal: AbortSignal,
): Promise<Chassis> {
  const { Id: id, Name: name } = resource;
  const links = Object.fromEntries(resources.map((one) => [one, linkOf(resource, one)])) as Chassis['links']; // Of each chassis.
  const subsystem = links.PowerSubsystem;
  return {
    path,
    id: typeof id === 'string' ? id : path,
    name: typeof name === 'string' ? name : undefined,
    parent: linkOf(objectOf(resource['Links']), 'ContainedBy'),
    links,
    supplies: subsystem === undefined ? [] : await readSupplies(client, subsystem, signal),
    fans: await findFans(client, links.ThermalSubsystem, signal),
  };
}

async function findFans(
  client: RedfishClient,
  subsystemPath: string | undefined,
  signal: AbortSignal,
): Promise<Chassis['fans']> {
  const subsystem =
    subsystemPath === undefined ? undefined : await readIfThere(client, subsystemPath, signal);
  const path = subsystem && linkOf(subsystem, 'Fans');
  const collection = path === undefined ? undefined : await readIfThere(client, path, signal);
  return path === undefined || collection === undefined
    ? undefined
    : { path, members: await listPaths(client, collection, signal) };
}

async function readSupplies(
  client: RedfishClient,
  subsystemPath: string,
  signal: AbortSignal,
): Promise<readonly Supply[]> {
  const subsystem = await readIfThere(client, subsystemPath, signal);
  const path = subsystem && linkOf(subsystem, 'PowerSupplies');
  const collection = path === undefined ? undefined : await readIfThere(client, path, signal);
  const supplies: Supply[] = [];
  for (const member of collection ? await listPaths(client, collection, signal) : []) {
    const resource = await readIfThere(client, member, signal);
    if (resource) supplies.push({ resource, metrics: linkOf(resource, 'Metrics') });
  }
  return supplies;
}

/** The query by which the BMC returns a collection with its members: DSP0266, `$expand`. Undefined: it cannot. */
export function findExpandQuery(root: JsonObject): string | undefined {
  const { NoLinks: noLinks, ExpandAll: all } = objectOf(
    objectOf(root['ProtocolFeaturesSupported'])['ExpandQuery'],
  );
  if (noLinks === true) return '?$expand=.';
  return all === true ? '?$expand=*' : undefined;
}

/**
 * Reads a resource that another one links to; some BMCs have broken links.
 * @param wasRead whether it could be read before: then it is an error if access is denied now
 * @returns undefined if it does not exist, or access is denied
 */
export async function readIfThere(
  client: RedfishClient,
  path: string,
  signal: AbortSignal,
  wasRead = false,
): Promise<JsonObject | undefined> {
  const absent = wasRead ? [404, 405, 501] : [403, 404, 405, 501];
  try {
    return await client.read(path, signal);
  } catch (error) {
    if (error instanceof StatusError && absent.includes(error.status)) return undefined;
    throw error;
  }
}

/**
 * The members of a collection, also of the pages after the first one: DSP0266, `Members@odata.nextLink`. An
 * iDRAC returns at most 50 at once.
 * @param first the first page
 */
export async function listMembers(
  client: RedfishClient,
  first: JsonObject,
  signal: AbortSignal,
): Promise<readonly JsonObject[]> {
  const members = [...objectsOf(first['Members'])];
  for (let page = first; members.length < maxListed;) {
    const { 'Members@odata.nextLink': next } = page;
    if (typeof next !== 'string') break;
    page = await client.read(next, signal);
    const more = objectsOf(page['Members']);
    if (more.length === 0) break;
    members.push(...more);
  }
  return members;
}

/** The paths of the members of a collection. */
export async function listPaths(
  client: RedfishClient,
  collection: JsonObject,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const members = await listMembers(client, collection, signal);
  return [...new Set(members.flatMap((member) => pathOf(member) ?? []))].slice(0, maxMembers);
}

function linkOf(resource: JsonObject, name: string): string | undefined {
  return pathOf(objectOf(resource[name]));
}

function pathOf({ '@odata.id': path }: JsonObject): string | undefined {
  return typeof path === 'string' ? path : undefined;
}
