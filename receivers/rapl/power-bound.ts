import { join } from 'node:path';
import { findInteger, findNames } from '../../src/linux/sysfs.js';
import { mostWatts } from './domain.js';
import type { DomainKind } from './domain.js';

/** Bursts go well beyond a limit that is kept on average; resets go far beyond that. */
const safety = 10;
/** A limit of a few watts, of memory or of a machine at rest, says little about a burst. */
const leastWatts = 500;
/** A limit that nobody set is a huge number. */
const mostTimes = 5;

/**
 * More than a zone's domain draws, in watts: ten times the greatest power that it says it may have, or, where it says
 * none, to which it is limited. Where it says neither, by its kind.
 */
export function findMostWatts(path: string, kind: DomainKind): number {
  const limit =
    findMost(path, /^constraint_\d+_max_power_uw$/) || findMost(path, /^constraint_\d+_power_limit_uw$/);
  if (limit === 0) return mostWatts[kind];
  return Math.min(Math.max(leastWatts, (safety * limit) / 1e6), mostTimes * mostWatts[kind]);
}

function findMost(path: string, files: RegExp): number {
  const names = findNames(path).filter((name) => files.test(name));
  return Math.max(0, ...names.map((name) => findInteger(join(path, name)) ?? 0));
}
