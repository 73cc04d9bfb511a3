import type { Log } from '../../src/component/log.js';
import { describeError, describeErrors } from '../../src/errors.js';
import { StatusError } from '../../src/http/get.js';
import type { JsonObject } from '../../src/recording/otlp-json.js';
import type { MeterReading } from '../../src/scraping/meter-reading.js';
import type { MeterAnswer, MeterItem, RemoteMeter } from '../../src/scraping/meter-receiver.js';
import type { Config } from './config.js';
import {
  isPowerSensor,
  isTotalPower,
  listSources,
  parseEnvironment,
  parseFan,
  parseOldPower,
  parseOldThermal,
  parseSensor,
  parseSupplyFans,
  parseSupplyMetrics,
  readNumber,
} from './readings.js';
import { RedfishClient } from './redfish-client.js';
import {
  findExpandQuery,
  listMembers,
  listPaths,
  readIfThere,
  readProcessors,
  readTree,
  type Chassis,
  type Processor,
} from './tree.js';

/** Chassis and power supplies rarely change, and each takes a request of its own. */
const treeMs = 300_000;

/** A BMC. */
export function openMeter(
  { endpoint }: MeterItem & { readonly endpoint: string },
  config: Config,
  log: Log,
): RemoteMeter {
  const url = new URL(endpoint);
  const client = new RedfishClient(url, config, log);
  const meter = new RedfishMeter(client, url.host, config.metrics.sensors);
  return {
    name: client.target,
    ask: (signal) => meter.read(signal),
    close: () => client.close(),
  };
}

interface Tree {
  readonly chassis: readonly Chassis[];
  readonly processors: readonly Processor[];
  /** Undefined: members of collections are read one after the other. */
  readonly expandQuery: string | undefined;
  readonly untilMs: number;
}

/** Reads all measurements of a BMC, resource by resource. */
class RedfishMeter {
  readonly #client: RedfishClient;
  readonly #host: string;
  readonly #hasSensors: boolean;
  #tree: Tree | undefined;
  /** The last readings of each chassis: a measured resource that fails now is a gap. */
  readonly #known = new Map<string, readonly MeterReading[]>();
  /** The paths of sensors that measure neither power nor energy. */
  readonly #otherSensors = new Set<string>();
  /** Links that had a resource before. */
  readonly #readable = new Set<string>();

  constructor(client: RedfishClient, host: string, hasSensors: boolean) {
    this.#client = client;
    this.#host = host;
    this.#hasSensors = hasSensors;
  }

  async read(signal: AbortSignal): Promise<MeterAnswer> {
    try {
      const tree = await this.#readTree(signal);
      return await this.#readChassis(tree, signal);
    } catch (error) {
      // The BMC may have been replaced or updated.
      if (error instanceof StatusError) this.#tree = undefined;
      throw error;
    }
  }

  async #readTree(signal: AbortSignal): Promise<Tree> {
    if (this.#tree !== undefined && performance.now() < this.#tree.untilMs) return this.#tree;
    const root = await this.#client.readRoot(signal);
    const chassis = await readTree(this.#client, root, signal);
    const processors = await readProcessors(this.#client, root, signal);
    const expandQuery = findExpandQuery(root);
    this.#tree = { chassis, processors, expandQuery, untilMs: performance.now() + treeMs };
    return this.#tree;
  }

  /** A chassis that cannot be read does not affect the others; if all fail, the reading fails. */
  async #readChassis(tree: Tree, signal: AbortSignal): Promise<MeterAnswer> {
    const readings: MeterReading[] = [];
    const errors: unknown[] = [];
    const problems: string[] = [];
    for (const chassis of tree.chassis) {
      const known = this.#known.get(chassis.path) ?? [];
      try {
        const now = keepGaps(known, await this.#readOne(chassis, tree, signal));
        this.#known.set(chassis.path, now);
        readings.push(...now);
      } catch (error) {
        errors.push(error);
        problems.push(`${chassis.path}: ${describeError(error)}`);
        readings.push(...known.map(toGap));
      }
    }
    if (errors.length > 0 && (signal.aborted || errors.length === tree.chassis.length))
      throw errors.length === 1 ? errors[0] : new Error(describeErrors(errors));
    return { readings, problems };
  }

  async #readOne(chassis: Chassis, tree: Tree, signal: AbortSignal): Promise<readonly MeterReading[]> {
    const place = { chassis: this.#identify(chassis) };
    const { links } = chassis;
    const metrics = await this.#readLink(links.EnvironmentMetrics, signal);
    const sources = new Set(metrics && listSources(metrics));
    let whole = metrics ? parseEnvironment(metrics) : {};
    const parts: MeterReading[] = [];
    for (const { resource, metrics: path } of chassis.supplies) {
      const supply = (await this.#readLink(path, signal)) ?? {};
      for (const source of listSources(supply)) sources.add(source);
      parts.push(...parseSupplyMetrics(supply, resource, place));
      if (this.#hasSensors) parts.push(...parseSupplyFans(supply, resource, place));
    }
    const isUnmeasured = chassis.supplies.every(({ metrics: path }) => path === undefined);
    if (whole.watts === undefined || isUnmeasured) {
      const power = await this.#readLink(links.Power, signal);
      const old = parseOldPower(power ?? {}, place, this.#hasSensors && tree.expandQuery === undefined);
      whole = { ...old.chassis, ...whole };
      // Those of OpenBMC have a state only.
      if (isUnmeasured && old.parts.some(({ type }) => type === 'power_supply')) parts.splice(0);
      parts.push(...old.parts.filter(({ type }) => type !== 'power_supply' || isUnmeasured));
    }
    parts.push(...(await this.#readProcessors(chassis, tree, sources, signal)));
    const fans = await this.#readFans(chassis, tree, sources, signal);
    const members = await this.#listSensors(chassis, tree, sources, signal);
    const total = whole.watts === undefined ? members.find(isTotalPower) : undefined;
    const watts = total && readNumber(total['Reading']);
    if (watts !== undefined) whole = { watts, ...whole };
    const sensors = members.flatMap((sensor) => (sensor === total ? [] : parseSensor(sensor, place)));
    if (members.length === 0 || tree.expandQuery === undefined)
      sensors.push(...(await this.#readThermal(chassis, signal)));
    // The older Thermal has the same fans.
    parts.push(
      ...fans,
      ...sensors.filter(({ id, type }) => fans.length === 0 || type !== 'fan' || id.includes('/sensor:')),
    );
    return [...this.#describeWhole(chassis, tree, whole), ...parts];
  }

  async #readProcessors(
    { path, ...chassis }: Chassis,
    { processors }: Tree,
    sources: Set<string>,
    signal: AbortSignal,
  ): Promise<readonly MeterReading[]> {
    const parent = this.#identify(chassis);
    const readings: MeterReading[] = [];
    for (const { id, name, type, metrics: link } of processors.filter((one) => one.chassis === path)) {
      const metrics = (await this.#readLink(link, signal)) ?? {};
      for (const source of listSources(metrics)) sources.add(source);
      const quantities = parseEnvironment(metrics);
      if (Object.keys(quantities).length === 0) continue;
      readings.push({ id: `${parent}/processor:${id}`, type, name, parent, ...quantities });
    }
    return readings;
  }

  /** With one request if the BMC supports that, otherwise one after the other. */
  async #readFans(
    { fans, ...chassis }: Chassis,
    { expandQuery }: Tree,
    sources: Set<string>,
    signal: AbortSignal,
  ): Promise<readonly MeterReading[]> {
    if (!this.#hasSensors || fans === undefined || fans.members.length === 0) return [];
    const place = { chassis: this.#identify(chassis) };
    const expanded = await this.#readExpanded(fans.path, expandQuery, signal);
    const members = [...(expanded ?? [])];
    if (expanded === undefined) {
      for (const path of fans.members) members.push((await this.#readLink(path, signal)) ?? {});
    }
    for (const source of members.flatMap(listSources)) sources.add(source);
    return members.flatMap((fan) => parseFan(fan, place));
  }

  async #readThermal({ links, ...chassis }: Chassis, signal: AbortSignal): Promise<readonly MeterReading[]> {
    const thermal = this.#hasSensors ? await this.#readLink(links.Thermal, signal) : undefined;
    return thermal ? parseOldThermal(thermal, { chassis: this.#identify(chassis) }) : [];
  }

  /** The members of Sensors that no other resource has. */
  async #listSensors(
    { links }: Chassis,
    { expandQuery }: Tree,
    sources: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<readonly JsonObject[]> {
    if (!this.#hasSensors) return [];
    const sensors =
      expandQuery !== undefined
        ? await this.#readExpanded(links.Sensors, expandQuery, signal)
        : links.Power === undefined
          ? await this.#readPowerSensors(links.Sensors, signal)
          : [];
    return sensors?.filter(({ '@odata.id': path }) => !sources.has(String(path))) ?? [];
  }

  /** Sensors of power and energy, one after the other; of the others, only their type is read, once. */
  async #readPowerSensors(path: string | undefined, signal: AbortSignal): Promise<readonly JsonObject[]> {
    const collection = await this.#readLink(path, signal);
    const sensors: JsonObject[] = [];
    for (const member of collection ? await listPaths(this.#client, collection, signal) : []) {
      if (this.#otherSensors.has(member)) continue;
      const sensor = await this.#readLink(member, signal);
      if (sensor !== undefined && isPowerSensor(sensor)) sensors.push(sensor);
      else this.#otherSensors.add(member);
    }
    return sensors;
  }

  /** The members of a collection in one answer. @returns undefined if the BMC cannot do that */
  async #readExpanded(
    path: string | undefined,
    query: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly JsonObject[] | undefined> {
    if (path === undefined || query === undefined) return undefined;
    const collection = await this.#readLink(`${path}${query}`, signal);
    return collection && listMembers(this.#client, collection, signal);
  }

  async #readLink(path: string | undefined, signal: AbortSignal): Promise<JsonObject | undefined> {
    if (path === undefined) return undefined;
    const resource = await readIfThere(this.#client, path, signal, this.#readable.has(path));
    if (resource !== undefined) this.#readable.add(path);
    return resource;
  }

  #describeWhole(
    { parent, name, ...chassis }: Chassis,
    tree: Tree,
    quantities: ReturnType<typeof parseEnvironment>,
  ): readonly MeterReading[] {
    if (Object.keys(quantities).length === 0) return [];
    const container = tree.chassis.find(({ path }) => path === parent);
    const id = this.#identify(chassis);
    return [{ id, type: 'enclosure', name, parent: container && this.#identify(container), ...quantities }];
  }

  #identify({ id }: Pick<Chassis, 'id'>): string {
    return `${this.#host}/${id}`;
  }
}

/** A chassis without a current value would otherwise be replaced by its power supplies in the sum of the host. */
function keepGaps(before: readonly MeterReading[], now: readonly MeterReading[]): readonly MeterReading[] {
  const known = new Map(before.map((reading) => [reading.id, reading]));
  const merged = now.map((reading) => ({ ...measuredGap(known.get(reading.id)), ...reading }));
  const ids = new Set(now.map(({ id }) => id));
  const gone = before.filter(({ id, type }) => !ids.has(id) && type === 'enclosure');
  return [...gone.map(toGap), ...merged];
}

function toGap(reading: MeterReading): MeterReading {
  const { id, type, name, parent } = reading;
  return { id, type, name, parent, ...measuredGap(reading) };
}

/** The quantities that add up to the host: NaN if they were measured before. */
function measuredGap(reading: MeterReading | undefined): Pick<MeterReading, 'watts' | 'energy'> {
  return {
    ...(reading?.watts !== undefined && { watts: NaN }),
    ...(reading?.energy !== undefined && { energy: { ...reading.energy, count: NaN } }),
  };
}
