import type { Config } from './config.js';
import { nameDomains } from './domain.js';
import type { InterfaceName } from './domain.js';
import type { EnergyReader } from './energy-reader.js';
import { findDead } from './find-powercap.js';
import { openPerfReader } from './perf-reader.js';
import { openPowercapReader } from './powercap-reader.js';
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

/** What came of the attempt to open the counters. */
export interface Opening {
  /** Whoever takes it closes it. */
  readonly reader: EnergyReader | undefined;
  /** What a person should know of how the domains were chosen. */
  readonly notes: readonly string[];
  /** Why an interface was not taken. */
  readonly refusals: readonly Refusal[];
}

type Attempt = { readonly reader: EnergyReader; readonly note?: string } | Refusal;

/** Opens perf_event, or else powercap, with the domains that can be trusted and are wanted. */
export function openReader(config: Config): Opening {
  const found = findSources(config);
  const isDoubtful = disagree(found);
  const notes = isDoubtful ? [describeDisagreement(found)] : [];
  const wanted = keepWanted(isDoubtful ? keepCommon(found) : found, config);
  const refusals: Refusal[] = [];
  for (const name of listInterfaces(config)) {
    const attempt =
      name === 'perf_event' ? openPerf(config, found, wanted) : openPowercap(config, found, wanted);
    if ('reader' in attempt) {
      if (attempt.note !== undefined) notes.push(attempt.note);
      return { reader: attempt.reader, notes, refusals };
    }
    refusals.push(attempt);
  }
  return { reader: undefined, notes, refusals };
}

function listInterfaces({ interface: name }: Config): readonly InterfaceName[] {
  return name === 'auto' ? ['perf_event', 'powercap'] : [name];
}

function openPerf({ sysfs }: Config, found: Sources, { perf }: Sources): Attempt {
  if (!hasPackage(found.perf)) return explainNoPerf(sysfs);
  if (perf.length === 0) return { reason: 'perf_event: none of the domains that are wanted', remedies: [] };
  try {
    const reader = openPerfReader(perf);
    if (waitFor(reader, (joules) => joules > 0)) return { reader };
    reader.close();
    return { reason: `perf_event: ${nameDomains(perf)} can be opened, but count nothing`, remedies: [] };
  } catch (error) {
    return explainPerfError(error);
  }
}

function openPowercap({ sysfs }: Config, found: Sources, { zones }: Sources): Attempt {
  if (!hasPackage(found.zones)) return explainNoPowercap(sysfs);
  const dead = findDead(found.zones);
  const alive = zones.filter((zone) => !dead.includes(zone));
  if (alive.length === 0) return { reason: 'powercap: none of the domains that are wanted', remedies: [] };
  try {
    const reader = openPowercapReader(alive);
    if (!waitFor(reader, (joules) => joules >= 0)) {
      reader.close();
      return { reason: `powercap: ${nameDomains(alive)} can be opened, but not be read`, remedies: [] };
    }
    return dead.length === 0 ? { reader } : { reader, note: describeDead(nameDomains(dead)) };
  } catch (error) {
    return explainPowercapError(error);
  }
}

function describeDead(names: string): string {
  return `powercap: left out, since it never counted: ${names}`;
}

/** Reads until a counter shows what is expected, for 100 ms at most. What was read does not count. */
function waitFor(reader: EnergyReader, isExpected: (joules: number) => boolean): boolean {
  const values = new Float64Array(reader.domains.length);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let ms = 0; ms < 100; ms += 2) {
    reader.read(values, 0);
    if (values.some((joules) => isExpected(joules))) {
      reader.restart();
      return true;
    }
    Atomics.wait(pause, 0, 0, 2);
  }
  return false;
}
