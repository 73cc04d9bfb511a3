import { join } from 'node:path';
import { findInteger } from '../../src/linux/sysfs.js';
import { keepFirst, nameDomain } from './domain.js';
import type { Domain } from './domain.js';
import { nameFolder } from './find-powercap.js';
import type { Zone } from './find-powercap.js';

/** The energy that a zone's folder shows, in microjoules; undefined when it may not be read. */
export function readEnergy(path: string): number | undefined {
  return findInteger(join(path, 'energy_uj'));
}

/**
 * Where the dies of a package all show the same counter, it is the package's: one zone is kept, as the whole package.
 * Older kernels offer one zone per die on AMD. The same holds for psys of several sockets.
 */
export function mergeAliases(zones: readonly Zone[]): readonly Zone[] {
  return keepFirst(
    zones.map((zone) => {
      const twins = zones.filter((other) => isTwin(zone.domain, other.domain));
      const isAlias = twins.length > 0 && twins.every((twin) => isSameCounter(zone.path, twin.path));
      if (!isAlias) return zone;
      return { ...zone, domain: nameWhole(zone.domain), copies: [...zone.copies, ...twins] };
    }),
  );
}

function nameWhole({ kind, package: packageId }: Domain): Domain {
  return { kind, package: kind === 'psys' ? 0 : packageId };
}

function isTwin(a: Domain, b: Domain): boolean {
  if (a.kind !== b.kind) return false;
  return a.kind === 'psys' ? a.package !== b.package : a.package === b.package && a.die !== b.die;
}

/** Whether a reading of one counter lies between two of the other: of two, that is next to impossible. */
export function isSameCounter(a: string, b: string): boolean {
  const [before = 0, between = 0, after = 0] = [a, b, a].map((path) => readEnergy(path));
  return before > 0 && before <= between && between <= after;
}

/** For people: which folder is read where a domain shows through several. */
export function describeCopies(zones: readonly Zone[]): readonly string[] {
  return zones.flatMap(({ domain, path, copies }) =>
    copies.map((copy) => {
      const [read, other] = [nameFolder(path), nameFolder(copy.path)];
      return `${nameDomain(domain)} is read from ${read}, not from ${other}${compareShown(path, copy.path)}`;
    }),
  );
}

// They are not read at one instant.
const mostApartMicrojoules = 1_000_000;

function compareShown(path: string, copy: string): string {
  const apart = Math.abs((readEnergy(path) ?? Number.NaN) - (readEnergy(copy) ?? Number.NaN));
  if (Number.isNaN(apart)) return '';
  return apart <= mostApartMicrojoules ? ', which shows the same' : ', which has a count of its own';
}

/**
 * The paths of zones that stand at 0: nothing was ever counted in them, as far as is known. A package counts as one of
 * them only where another package has counted something.
 */
export function findResting(zones: readonly Zone[]): ReadonlySet<string> {
  const atZero = zones.filter(({ path }) => readEnergy(path) === 0);
  const isCounting = zones.some(
    ({ domain, path }) => domain.kind === 'package' && (readEnergy(path) ?? 0) > 0,
  );
  const resting = isCounting ? atZero : atZero.filter(({ domain }) => domain.kind !== 'package');
  return new Set(resting.map(({ path }) => path));
}
