import { join } from 'node:path';
import { findInteger, findNames, findText } from '../../src/linux/sysfs.js';
import { isAmd } from '../../src/linux/topology.js';
import { keepFirst, mostWatts } from './domain.js';
import type { Domain, DomainKind } from './domain.js';

/** A counter of the powercap tree: microjoules that wrap. */
export interface Zone {
  readonly domain: Domain;
  /** The folder that holds `energy_uj`. */
  readonly path: string;
  /** The greatest value before the counter wraps. */
  readonly maxMicrojoules: number;
  /** More than the domain can draw. */
  readonly mostWatts: number;
}

interface Folder {
  /** `intel-rapl:0:1` */
  readonly name: string;
  readonly path: string;
}

/** The folder that holds every zone. */
export function powercapFolder(sysfs: string): string {
  return join(sysfs, 'class/powercap');
}

/** The zones of the powercap tree, each physical domain once, whether or not they may be read. */
export function findZones(sysfs: string): readonly Zone[] {
  const folders = findFolders(powercapFolder(sysfs)).toSorted(compareFolders);
  const paths = new Map(folders.map(({ name, path }) => [name, path]));
  const amd = isAmd(sysfs);
  const zones = folders.flatMap(({ name, path }) => {
    const domain = findDomain(name, paths);
    // On AMD, "core" is the counter of one core only, that on which it happens to be read.
    if (domain === undefined || (amd && domain.kind === 'core')) return [];
    const zone = readZone(path, amd ? { kind: domain.kind, package: domain.package } : domain);
    return zone ? [zone] : [];
  });
  // A package seen through MSR and through MMIO has the same name twice.
  return mergeAliases(keepFirst(zones));
}

/** Every zone's folder: class/powercap links to all of them, a copied tree may nest them only. */
function findFolders(parent: string): readonly Folder[] {
  const names = findNames(parent).filter((name) => name.startsWith('intel-rapl'));
  return names.flatMap((name) => {
    const path = join(parent, name);
    const nested = findFolders(path);
    return name.includes(':') ? [{ name, path }].concat(nested) : nested;
  });
}

/** The control type intel-rapl (MSR or TPMI) before its copies, and zones in the order of their numbers. */
function compareFolders(a: Folder, b: Folder): number {
  const isCopy = (folder: Folder) => Number(!folder.name.startsWith('intel-rapl:'));
  return isCopy(a) - isCopy(b) || a.name.localeCompare(b.name, 'en', { numeric: true });
}

const partKinds: Readonly<Record<string, DomainKind>> = { dram: 'dram', core: 'core', uncore: 'uncore' };

function findDomain(name: string, paths: ReadonlyMap<string, string>): Domain | undefined {
  const title = findText(join(paths.get(name) ?? '', 'name')) ?? '';
  if (title.startsWith('psys')) return { kind: 'psys', package: 0 };
  const parts = /^package-(\d+)(?:-die-(\d+))?$/.exec(title);
  if (parts)
    return { kind: 'package', package: Number(parts[1]), ...(parts[2] && { die: Number(parts[2]) }) };
  const kind = partKinds[title];
  const parent = name.slice(0, name.lastIndexOf(':'));
  if (kind === undefined || !paths.has(parent)) return undefined;
  const whole = findDomain(parent, paths);
  return whole?.kind === 'package' ? { ...whole, kind } : undefined;
}

function readZone(path: string, domain: Domain): Zone | undefined {
  const maxMicrojoules = findInteger(join(path, 'max_energy_range_uj'));
  if (maxMicrojoules === undefined || maxMicrojoules <= 0) return undefined;
  return { domain, path, maxMicrojoules, mostWatts: findMostWatts(path, domain) };
}

/** Ten times the greatest power limit: bursts go well beyond a limit, resets go far beyond that. */
function findMostWatts(path: string, { kind }: Domain): number {
  const limits = findNames(path)
    .filter((name) => /^constraint_\d+_max_power_uw$/.test(name))
    .map((name) => findInteger(join(path, name)) ?? 0);
  const most = Math.max(0, ...limits);
  return most > 0 ? Math.max(500, (10 * most) / 1e6) : mostWatts[kind];
}

/**
 * Where the dies of a package all show the same counter, it is the package's: one zone is kept, as the whole
 * package. Older kernels offer one zone per die on AMD.
 */
function mergeAliases(zones: readonly Zone[]): readonly Zone[] {
  const merged = zones.map((zone) => {
    const twins = zones.filter((other) => isOtherDie(zone.domain, other.domain));
    const isAlias = twins.length > 0 && twins.every((twin) => isSameCounter(zone, twin));
    return isAlias ? { ...zone, domain: { kind: zone.domain.kind, package: zone.domain.package } } : zone;
  });
  return keepFirst(merged);
}

function isOtherDie(a: Domain, b: Domain): boolean {
  return a.kind === b.kind && a.package === b.package && a.die !== b.die;
}

/** Whether a reading of one counter lies between two of the other: of two, that is next to impossible. */
function isSameCounter(a: Zone, b: Zone): boolean {
  const [before = 0, between = 0, after = 0] = [a, b, a].map((zone) => readEnergy(zone));
  return before > 0 && before <= between && between <= after;
}

/** The zone's energy in microjoules; undefined when it may not be read. */
export function readEnergy(zone: Zone): number | undefined {
  return findInteger(join(zone.path, 'energy_uj'));
}

/**
 * Parts of a package whose counter stands at 0 while the package's does not: the CPU has the register, but
 * counts nothing in it.
 */
export function findDead(zones: readonly Zone[]): readonly Zone[] {
  const isRunning = zones.some((zone) => zone.domain.kind === 'package' && (readEnergy(zone) ?? 0) > 0);
  return isRunning ? zones.filter((zone) => zone.domain.kind !== 'package' && readEnergy(zone) === 0) : [];
}
