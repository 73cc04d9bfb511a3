import { basename, join } from 'node:path';
import { findInteger, findNames, findText } from '../../src/linux/sysfs.js';
import { isAmd } from '../../src/linux/topology.js';
import { keepFirst, maxWatts as maxWattsOf, nameDomain, type Domain, type DomainKind } from './domain.js';

/** A counter of the powercap tree: microjoules that wrap. */
export interface Zone {
  readonly domain: Domain;
  /** The folder with `energy_uj`. */
  readonly path: string;
  /** The largest value before the counter wraps; Infinity if the zone does not state a plausible one. */
  readonly maxMicrojoules: number;
  /** The stated range, if it is implausible. */
  readonly doubtfulMicrojoules?: number;
  /** More than the domain can draw. */
  readonly maxWatts: number;
  /** Zones that show the same domain through another interface and are not read. */
  readonly copies: readonly Zone[];
}

interface Folder {
  /** `intel-rapl:0:1` */
  readonly name: string;
  readonly path: string;
}

/** The folder of all zones. */
export function powercapFolder(sysfs: string): string {
  return join(sysfs, 'class/powercap');
}

/**
 * The zones of the powercap tree, each domain once, readable or not. Dies that show the counter of their
 * package are not distinguished here.
 */
export function findZones(sysfs: string): readonly Zone[] {
  const folders = listFolders(sysfs).toSorted(compareFolders);
  const paths = new Map(folders.map(({ name, path }) => [name, path]));
  const amd = isAmd(sysfs);
  const zones = folders.flatMap(({ name, path }) => {
    const domain = findDomain(name, paths);
    // On AMD, "core" is the counter of a single core, the one on which it happens to be read.
    const isLeftOut = domain === undefined || (amd && domain.kind === 'core');
    if (isLeftOut || paths.get(name) !== path) return [];
    return [readZone(path, amd ? { kind: domain.kind, package: domain.package } : domain)];
  });
  return mergeCopies(zones);
}

/** A container may have no class, but the devices themselves. */
function listFolders(sysfs: string): readonly Folder[] {
  const folders = findFolders(powercapFolder(sysfs));
  const isReadable = folders.some(({ path }) => findText(join(path, 'name')) !== undefined);
  return isReadable ? folders : findFolders(join(sysfs, 'devices/virtual/powercap'));
}

/** The folders of all zones: class/powercap links to all of them, while a copied tree may only nest them. */
function findFolders(parent: string): readonly Folder[] {
  const names = findNames(parent).filter((name) => name.startsWith('intel-rapl'));
  return names.flatMap((name) => {
    const path = join(parent, name);
    const nested = findFolders(path);
    return name.includes(':') ? [{ name, path }].concat(nested) : nested;
  });
}

/**
 * Control types in order of preference. `intel-rapl` has every domain, through MSR or, on newer servers, TPMI;
 * the others repeat packages and memory.
 */
const controlTypes = ['intel-rapl', 'intel-rapl-tpmi', 'intel-rapl-mmio'];

function compareFolders(a: Folder, b: Folder): number {
  return rank(a) - rank(b) || a.name.localeCompare(b.name, 'en', { numeric: true });
}

function rank({ name }: Folder): number {
  const index = controlTypes.indexOf(name.slice(0, name.indexOf(':')));
  return index < 0 ? controlTypes.length : index;
}

/** A domain that several interfaces show has the same name several times: the first is read. */
function mergeCopies(zones: readonly Zone[]): readonly Zone[] {
  return keepFirst(zones).map((first) => addCopies(first, zones));
}

function addCopies(first: Zone, zones: readonly Zone[]): Zone {
  const name = nameDomain(first.domain);
  const copies = zones.filter((zone) => zone !== first && nameDomain(zone.domain) === name);
  return { ...first, copies };
}

const partKinds: Readonly<Record<string, DomainKind>> = { dram: 'dram', core: 'core', uncore: 'uncore' };

function findDomain(name: string, paths: ReadonlyMap<string, string>): Domain | undefined {
  const title = findText(join(paths.get(name) ?? '', 'name')) ?? '';
  // Only sockets other than the first have a number in their name.
  const psys = /^psys(?:-(\d+))?$/.exec(title);
  if (psys) return { kind: 'psys', package: Number(psys[1] ?? 0) };
  const parts = /^package-(\d+)(?:-die-(\d+))?$/.exec(title);
  if (parts)
    return { kind: 'package', package: Number(parts[1]), ...(parts[2] && { die: Number(parts[2]) }) };
  const kind = partKinds[title];
  const parent = name.slice(0, name.lastIndexOf(':'));
  if (kind === undefined || !paths.has(parent)) return undefined;
  const whole = findDomain(parent, paths);
  return whole?.kind === 'package' ? { ...whole, kind } : undefined;
}

/** Minimum time between readings that prevent unnoticed wraps, in milliseconds. */
export const minPollingMs = 100;

function readZone(path: string, domain: Domain): Zone {
  const found = findInteger(join(path, 'max_energy_range_uj')) ?? 0;
  const maxWatts = findMaxWatts(path, domain.kind);
  // A range that such a domain could pass between two readings is implausible: real ones are 2^32 units, at
  // least 65 kJ.
  const isPossible = found / 1e3 / maxWatts / 2 >= minPollingMs;
  const range = isPossible
    ? { maxMicrojoules: found }
    : { maxMicrojoules: Infinity, ...(found > 0 && { doubtfulMicrojoules: found }) };
  return { domain, path, ...range, maxWatts, copies: [] };
}

/** The name of a zone's folder: `intel-rapl:0:1`. */
export function nameFolder(path: string): string {
  return basename(path);
}

/** The counter file of a zone. */
export function energyPath({ path }: Pick<Zone, 'path'>): string {
  return join(path, 'energy_uj');
}

/** The energy in a zone's folder, in microjoules; undefined if it is not readable. */
export function readEnergy(path: string): number | undefined {
  return findInteger(energyPath({ path }));
}

/** Bursts exceed an average limit considerably; resets exceed it far more. */
const safety = 10;
/** A limit of a few watts, of memory or of an idle machine, says little about bursts. */
const minWatts = 500;
/** A limit that was never set is a huge number. */
const maxTimes = 5;

/**
 * More than a zone's domain draws, in watts: ten times the maximum power that the zone states, or else its
 * limit, or else a value for its kind.
 */
export function findMaxWatts(path: string, kind: DomainKind): number {
  const limit =
    findGreatest(path, /^constraint_\d+_max_power_uw$/) ||
    findGreatest(path, /^constraint_\d+_power_limit_uw$/);
  if (limit === 0) return maxWattsOf[kind];
  return Math.min(Math.max(minWatts, (safety * limit) / 1e6), maxTimes * maxWattsOf[kind]);
}

function findGreatest(path: string, files: RegExp): number {
  const names = findNames(path).filter((name) => files.test(name));
  return Math.max(0, ...names.map((name) => findInteger(join(path, name)) ?? 0));
}
