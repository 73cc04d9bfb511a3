import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findInteger, findNames, findText } from '../sysfs.js';
import { parseCpuList } from '../topology.js';
import { encodeTerms, parseFieldLayout, type ConfigWords, type FieldLayout } from './format.js';
import { parseEvents, type Term } from './grammar.js';

/** A unit that counts events: a core, a memory controller, the kernel's software. */
export interface Pmu {
  readonly name: string;
  readonly type: number;
  /** The CPUs that it can count on; undefined: all. */
  readonly cpus: readonly number[] | undefined;
  /** Whether it counts what runs on CPUs: the PMU of one kind of cores. */
  readonly isCore: boolean;
  readonly folder: string;
}

/** The meaning of a PMU's terms. */
export interface PmuEvent {
  readonly words: ConfigWords;
  /** The value of one count, in `unit`. */
  readonly scale: number;
  /** As the kernel writes it, for example `Joules`; empty: events. */
  readonly unit: string;
  /** The value of a term `name=`, a name for users. */
  readonly name: string | undefined;
  /** Whether every CPU of a package gives the same count. */
  readonly isPerPackage: boolean;
}

/** Every PMU of this machine. */
export function listPmus(sysfs: string): readonly Pmu[] {
  const devices = join(sysfs, 'bus/event_source/devices');
  return findNames(devices).flatMap((name) => readPmu(join(devices, name), name) ?? []);
}

/**
 * The PMUs that a name selects: an exact match, or all numbered ones, with or without the prefix "uncore_", as
 * in perf: `imc` is `uncore_imc_0` and `uncore_imc_1`.
 */
export function selectPmus(pmus: readonly Pmu[], name: string): readonly Pmu[] {
  const exact = pmus.filter((pmu) => pmu.name === name);
  if (exact.length > 0) return exact;
  return pmus.filter(({ name: own }) =>
    [name, `uncore_${name}`].some((start) => own.startsWith(start) && isNumbered(own.slice(start.length))),
  );
}

function isNumbered(text: string): boolean {
  return /^_?\d+$/.test(text);
}

/** Whether the PMU has an event with this name. */
export function hasAlias({ folder }: Pmu, name: string): boolean {
  return isFileName(name) && findText(join(folder, 'events', name)) !== undefined;
}

/** The names of a PMU's own events. */
export function listAliases({ folder }: Pmu): readonly string[] {
  return findNames(join(folder, 'events')).filter((name) => !/\.(scale|unit|per-pkg|snapshot)$/.test(name));
}

/**
 * Computes the meaning of terms for a PMU: fields of its `format` folder, events of its `events` folder, whole
 * words.
 * @throws Error naming the wrong term
 */
export function encodePmuEvent(pmu: Pmu, terms: readonly Term[]): PmuEvent {
  const layouts = readLayouts(pmu);
  const name = terms.findLast((term) => term.name === 'name')?.value;
  const own = terms.filter((term) => term.name !== 'name');
  // An alias sets values that other terms may override.
  const alias = own.find((term) => isAlias(pmu, term, layouts));
  const meaning = alias ? readAlias(pmu, alias.name) : noAlias;
  const rest = own.filter((term) => term !== alias);
  const missing = meaning.terms.find(
    ({ name: one, value }) => value === '?' && !rest.some((t) => t.name === one),
  );
  if (missing) throw new Error(`expected ${missing.name}=NUMBER, found no "${missing.name}"`);
  const given = meaning.terms.filter(({ value }) => value !== '?');
  const words = encodeTerms([...given, ...rest], layouts);
  return { words, name, scale: meaning.scale, unit: meaning.unit, isPerPackage: meaning.isPerPackage };
}

function readPmu(folder: string, name: string): Pmu | undefined {
  const type = findInteger(join(folder, 'type'));
  if (type === undefined) return undefined;
  const cpus = findText(join(folder, 'cpus'));
  const list = cpus ?? findText(join(folder, 'cpumask'));
  return {
    name,
    type,
    cpus: list === undefined || list === '' ? undefined : parseCpuList(list),
    isCore: cpus !== undefined,
    folder,
  };
}

function readLayouts({ folder }: Pmu): ReadonlyMap<string, FieldLayout> {
  const formats = join(folder, 'format');
  return new Map(
    findNames(formats).flatMap((name) => {
      const layout = parseFieldLayout(findText(join(formats, name)) ?? '');
      return layout ? [[name, layout] as const] : [];
    }),
  );
}

function isAlias(pmu: Pmu, { name, value }: Term, layouts: ReadonlyMap<string, FieldLayout>): boolean {
  return value === undefined && !layouts.has(name) && hasAlias(pmu, name);
}

interface Alias {
  readonly terms: readonly Term[];
  readonly scale: number;
  readonly unit: string;
  readonly isPerPackage: boolean;
}

const noAlias: Alias = { terms: [], scale: 1, unit: '', isPerPackage: false };

// Terms for sampling, which do not affect counting.
const samplingTerms = new Set(['period', 'freq', 'branch_type', 'time', 'call-graph', 'stack-size']);

function readAlias(pmu: Pmu, name: string): Alias {
  const path = join(pmu.folder, 'events', name);
  if (findText(`${path}.snapshot`) !== undefined) {
    throw new Error(
      `expected an event that counts up, found "${name}", which is a level (in perf: snapshot)`,
    );
  }
  const scale = Number(findText(`${path}.scale`) ?? 1);
  return {
    terms: parseAlias(findText(path) ?? '').filter((term) => !samplingTerms.has(term.name)),
    scale: Number.isFinite(scale) ? scale : 1,
    unit: findText(`${path}.unit`) ?? '',
    isPerPackage: findText(`${path}.per-pkg`) === '1',
  };
}

/** The kernel writes an event like perf between slashes. */
function parseAlias(text: string): readonly Term[] {
  return parseEvents(`pmu/${text}/`)
    .flatMap(({ events }) => events)
    .flatMap(({ source }) => (source.kind === 'pmu' ? source.terms : []));
}

function isFileName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}

/** Why a tracepoint has no id. */
interface NoTracepoint {
  readonly problem: string;
}

/**
 * The id of a tracepoint such as `sched:sched_switch`, which is its `config`.
 * @param sysfs below which tracefs is mounted
 * @returns an error if there is no id; undefined if the name is not that of a tracepoint
 */
export function findTracepoint(sysfs: string, name: string): number | NoTracepoint | undefined {
  const [, system, event] = /^([\w-]+):([\w-]+)$/.exec(name) ?? [];
  if (system === undefined || event === undefined) return undefined;
  const roots = ['kernel/tracing', 'kernel/debug/tracing'].map((path) => join(sysfs, path, 'events'));
  const root = roots.find((path) => findText(join(path, 'header_page')) !== undefined || existsSync(path));
  if (root === undefined) {
    return {
      problem: `expected tracefs, found no readable ${join(sysfs, 'kernel/tracing')}; as root: mount -t tracefs nodev /sys/kernel/tracing`,
    };
  }
  const id = findInteger(join(root, system, event, 'id'));
  if (id !== undefined) return id;
  return existsSync(join(root, system, event))
    ? { problem: `expected root, found no readable ${join(root, system, event, 'id')}` }
    : undefined;
}
