import type { Config } from './config.js';
import { nameDomains } from './domain.js';
import type { InterfaceName } from './domain.js';
import type { EnergyReader } from './energy-reader.js';
import { openPerfReader, PerfReader } from './perf-reader.js';
import { openPowercapReader, PowercapReader } from './powercap-reader.js';
import { explainNoPerf, explainNoPowercap, explainPerfError, explainPowercapError } from './refusal.js';
import type { Refusal } from './refusal.js';
import {
  describeDisagreement,
  disagree,
  findSources,
  hasPackage,
  keepCommon,
  keepWanted,
} from './sources.js';
import type { Sources } from './sources.js';
import { findMoving } from './wait-for-reader.js';
import { findResting } from './zone-aliases.js';

/** What came of the attempt to open the counters. */
export interface Opening {
  /** Whoever takes it closes it. */
  readonly reader: EnergyReader | undefined;
  /** By domain of the reader: whether it counts. What never did is dead: the CPU has a register, but nothing in it. */
  readonly isAlive: readonly boolean[];
  /** What a person should know of how the domains were chosen. */
  readonly notes: readonly string[];
  /** Why an interface was not taken. */
  readonly refusals: readonly Refusal[];
}

type Attempt = { readonly reader: EnergyReader; readonly isAlive: readonly boolean[] } | Refusal;

interface Surroundings {
  /** The reader before this one: counters that both have are moved to the new one and go on. */
  readonly previous?: EnergyReader | undefined;
  /** A clock that never runs backwards; by default the real one. */
  readonly nowMs?: () => number;
}

/** Opens perf_event, or else powercap, with the domains that can be trusted and are wanted. */
export function openReader(config: Config, surroundings: Surroundings = {}): Opening {
  const found = findSources(config);
  const isDoubtful = disagree(found);
  const notes = isDoubtful ? [describeDisagreement(found)] : [];
  const wanted = keepWanted(isDoubtful ? keepCommon(found) : found, config);
  const refusals: Refusal[] = [];
  for (const name of listInterfaces(config)) {
    const open = name === 'perf_event' ? openPerf : openPowercap;
    const attempt = open(config.sysfs, { found, wanted }, surroundings);
    if ('reader' in attempt) {
      return { ...attempt, notes: [...notes, ...describeDead(attempt.reader, attempt.isAlive)], refusals };
    }
    refusals.push(attempt);
  }
  return { reader: undefined, isAlive: [], notes, refusals };
}

function listInterfaces({ interface: name }: Config): readonly InterfaceName[] {
  return name === 'auto' ? ['perf_event', 'powercap'] : [name];
}

interface Choice {
  readonly found: Sources;
  readonly wanted: Sources;
}

function openPerf(sysfs: string, { found, wanted: { perf } }: Choice, { previous }: Surroundings): Attempt {
  if (!hasPackage(found.perf)) return explainNoPerf(sysfs);
  if (perf.length === 0) return { reason: 'perf_event: none of the domains that are wanted', remedies: [] };
  try {
    const reader = openPerfReader(perf, previous instanceof PerfReader ? previous : undefined);
    const isAlive = findMoving(reader, (joules) => joules > 0, previous);
    if (isAlive.some(Boolean)) return { reader, isAlive };
    reader.close();
    return { reason: `perf_event: ${nameDomains(perf)} can be opened, but count nothing`, remedies: [] };
  } catch (error) {
    return explainPerfError(error);
  }
}

function openPowercap(
  sysfs: string,
  { found, wanted: { zones } }: Choice,
  { previous, nowMs }: Surroundings,
): Attempt {
  if (!hasPackage(found.zones)) return explainNoPowercap(sysfs);
  if (zones.length === 0) return { reason: 'powercap: none of the domains that are wanted', remedies: [] };
  try {
    const before = previous instanceof PowercapReader ? previous : undefined;
    const reader = openPowercapReader(zones, nowMs, before);
    const isRead = findMoving(reader, (joules) => joules >= 0, previous);
    const resting = findResting(found.zones);
    if (isRead.some(Boolean)) return { reader, isAlive: zones.map(({ path }) => !resting.has(path)) };
    reader.close();
    return { reason: `powercap: ${nameDomains(zones)} can be opened, but not be read`, remedies: [] };
  } catch (error) {
    return explainPowercapError(error);
  }
}

function describeDead(reader: EnergyReader, isAlive: readonly boolean[]): readonly string[] {
  const dead = reader.domains.filter((_, column) => !isAlive[column]).map((domain) => ({ domain }));
  if (dead.length === 0) return [];
  return [`${reader.interface}: left out until it counts, since it never did: ${nameDomains(dead)}`];
}
