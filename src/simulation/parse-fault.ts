import { parseDuration } from '../config/formats.js';
import { findNearest } from '../nearest.js';
import { faultKinds, type Fault } from './fault.js';
import { UsageError } from '../errors.js';

const standardForMs = 1000;

/**
 * Parses `KIND@AT[+FOR][:DOMAIN]`, say `torn@10s+500ms:package-0`; for `offline`, a CPU's number stands in place
 * of the domain.
 * @param domains the names that a domain may have
 * @param cpus how many CPUs there are
 * @throws UsageError
 */
export function parseFault(text: string, domains: readonly string[], cpus: number): Fault {
  const match = /^([a-z]+)@([^+:]+)(?:\+([^:]+))?(?::(.+))?$/u.exec(text);
  if (match === null) throw wrong(text, 'expected KIND@AT[+FOR][:DOMAIN], say torn@10s+500ms:package-0');
  const [, name = '', at = '', duration, place] = match;
  const kind = faultKinds.find((each) => each === name);
  if (kind === undefined) throw wrong(text, explainKind(name));
  const atMs = parseDuration(at);
  const forMs = duration === undefined ? standardForMs : parseDuration(duration);
  if (atMs === undefined || forMs === undefined) throw wrong(text, 'expected durations such as 10s or 500ms');
  const times = { kind, atUs: Math.round(atMs * 1000), forUs: Math.round(forMs * 1000) };
  if (place === undefined) return times;
  if (kind === 'offline') return { ...times, cpu: parseCpu(text, place, cpus) };
  if (!domains.includes(place))
    throw wrong(text, `no domain "${place}", expected one of ${domains.join(', ')}`);
  return { ...times, domain: place };
}

function parseCpu(text: string, place: string, cpus: number): number {
  const cpu = /^\d+$/u.test(place) ? Number(place) : Infinity;
  if (cpu < cpus) return cpu;
  throw wrong(text, `expected the number of a CPU, 0 to ${cpus - 1}, found "${place}"`);
}

function explainKind(name: string): string {
  const nearest = findNearest(name, faultKinds);
  const hint =
    nearest === undefined ? `expected one of ${faultKinds.join(', ')}` : `did you mean "${nearest}"?`;
  return `no fault "${name}", ${hint}`;
}

function wrong(text: string, why: string): UsageError {
  return new UsageError(`Cannot use --fault ${text}: ${why}`);
}
