import { elementAt } from '../../element.js';
import { suggest } from '../../nearest.js';
import type { CountedEvent, EventEncoding, EventUnit } from './counted-event.js';
import { perfType, softwareEvent } from './event.js';
import { findEventCode, type EventCode } from './event-names.js';
import type { EventSource, Term } from './grammar.js';
import { findLibpfm } from './libpfm.js';
import { isModifiers, parseModifiers } from './modifiers.js';
import { encodePmuEvent, findTracepoint, hasAlias, selectPmus, type Pmu, type PmuEvent } from './pmu.js';

/** An event without what only its text defines; modifiers and a name if the machine defines them. */
export type Meaning = Omit<CountedEvent, 'modifiers' | 'name'> &
  Partial<Pick<CountedEvent, 'modifiers' | 'name'>>;

/** Where events are searched. */
interface Machine {
  readonly pmus: readonly Pmu[];
  readonly sysfs: string;
  /** A suggestion for an unknown event, for messages; mostly empty. */
  suggest(name: string): string;
}

/**
 * Resolves an event on this machine.
 * @throws Error saying why the machine does not know it
 */
export function findMeaning(source: EventSource, machine: Machine): Meaning {
  switch (source.kind) {
    case 'code':
      return describeCode(source, machine.pmus);
    case 'pmu':
      return findPmuMeaning(source.pmu, source.terms, machine.pmus);
    case 'name':
      return findNameMeaning(source.name, machine);
  }
}

const clockConfigs = new Set([softwareEvent.cpuClock, softwareEvent.taskClock].map(BigInt));

/** Whether an event measures time, in nanoseconds. */
export function isClock({ type, config }: EventCode): boolean {
  return type === perfType.software && clockConfigs.has(config);
}

// context-switches, cpu-migrations and cgroup-switches.
const kernelConfigs = new Set([3n, 4n, 11n]);

function describeCode(code: EventCode, pmus: readonly Pmu[]): Meaning {
  const isSoftware = code.type === perfType.software;
  return {
    ...plain,
    encodings: isSoftware ? [createEncoding(code)] : encodeForCores(code, pmus),
    isSoftware,
    isKernelOnly: isSoftware && kernelConfigs.has(code.config),
    ...(isClock(code) && { unit: 's', scale: 1e-9 }),
  };
}

const plain = {
  unit: '{event}',
  scale: 1,
  isSoftware: false,
  isKernelOnly: false,
} as const;

/** Each kind of cores has a PMU, which counts what runs on its own cores. */
function encodeForCores(code: EventCode, pmus: readonly Pmu[]): readonly EventEncoding[] {
  const cores = pmus.filter(({ isCore }) => isCore);
  if (cores.length < 2) return [createEncoding(code)];
  return cores.map((pmu) => createEncoding(extend(code, pmu), pmu));
}

/** PERF_PMU_TYPE_SHIFT: the upper half of `config` selects the PMU for a code that all core PMUs have. */
function extend({ type, config }: EventCode, pmu: Pmu): EventCode {
  return type === perfType.raw
    ? { type: pmu.type, config }
    : { type, config: config | (BigInt(pmu.type) << 32n) };
}

function createEncoding({ type, config }: EventCode, pmu?: Pmu): EventEncoding {
  const place = { pmu: pmu?.name ?? '', cpus: pmu?.cpus, isTask: true };
  return { type, config, config1: 0n, config2: 0n, config3: 0n, ...place };
}

function findPmuMeaning(name: string, terms: readonly Term[], pmus: readonly Pmu[]): Meaning {
  const selected = selectPmus(pmus, name);
  if (selected.length === 0) {
    const names = pmus.map((pmu) => pmu.name);
    throw new Error(`expected a PMU, found none called "${name}"${suggest(name, names)}`);
  }
  return combine(selected.map((pmu) => ({ pmu, event: encodeOn(pmu, terms) })));
}

/** Terms of a PMU, or a name that all core PMUs know: `cpu_core/cycles/`. */
function encodeOn(pmu: Pmu, terms: readonly Term[]): PmuEvent & { readonly type?: number } {
  const [name, ...others] = terms.map((term) => (term.value === undefined ? term.name : undefined));
  const code = name === undefined || others.length > 0 ? undefined : findEventCode(name);
  if (pmu.isCore && name !== undefined && code && code.type !== perfType.software && !hasAlias(pmu, name)) {
    const { type, config } = extend(code, pmu);
    return { type, words: [config, 0n, 0n, 0n], scale: 1, unit: '', name: undefined, isPerPackage: false };
  }
  return encodePmuEvent(pmu, terms);
}

interface EventOnPmu {
  readonly pmu: Pmu;
  readonly event: PmuEvent & { readonly type?: number };
}

function combine(found: readonly EventOnPmu[]): Meaning {
  const { event: first } = elementAt(found, 0);
  const [unit, factor] = knownUnits[first.unit] ?? [undefined, 1];
  return {
    ...(first.name !== undefined && { name: first.name }),
    encodings: found.map(({ pmu, event }) => encodePmu(pmu, event)),
    unit: unit ?? '{event}',
    scale: unit === undefined ? 1 : first.scale * factor,
    isSoftware: found.every(({ pmu }) => pmu.type === perfType.software),
    isKernelOnly: false,
  };
}

function encodePmu(pmu: Pmu, { type = pmu.type, words, isPerPackage }: EventOnPmu['event']): EventEncoding {
  const [config, config1, config2, config3] = words;
  // An event of a package is counted on one of its CPUs; if the kernel names none, on the first one.
  const cpus = isPerPackage ? (pmu.cpus ?? [0]) : pmu.cpus;
  return {
    type,
    config,
    config1,
    config2,
    config3,
    pmu: pmu.name,
    cpus,
    isTask: pmu.isCore || cpus === undefined,
  };
}

const knownUnits: Readonly<Record<string, readonly [EventUnit, number]>> = {
  Joules: ['J', 1],
  Bytes: ['By', 1],
  KiB: ['By', 2 ** 10],
  MiB: ['By', 2 ** 20],
  GiB: ['By', 2 ** 30],
  ns: ['s', 1e-9],
};

/** A name without a PMU: one of its events, a tracepoint, or an event of libpfm4; with or without modifiers. */
function findNameMeaning(name: string, machine: Machine): Meaning {
  const found = findPlainName(name, machine) ?? findModified(name, machine);
  if (found) return found;
  const tracepoint = findTracepoint(machine.sysfs, name);
  if (typeof tracepoint === 'object') throw new Error(tracepoint.problem);
  throw new Error(
    `expected an event of this machine, found none of this name${machine.suggest(name)}; ${explainPfm(name)}`,
  );
}

function findModified(name: string, machine: Machine): Meaning | undefined {
  const colon = name.lastIndexOf(':');
  const modifiers = name.slice(colon + 1);
  if (colon <= 0 || !isModifiers(modifiers)) return undefined;
  const meaning = findPlainName(name.slice(0, colon), machine);
  return meaning && { ...meaning, modifiers: { ...meaning.modifiers, ...parseModifiers(modifiers) } };
}

function findPlainName(name: string, { pmus, sysfs }: Machine): Meaning | undefined {
  const owners = pmus.filter((pmu) => hasAlias(pmu, name));
  const term = { name, value: undefined };
  if (owners.length > 0) return combine(owners.map((pmu) => ({ pmu, event: encodePmuEvent(pmu, [term]) })));
  const tracepoint = findTracepoint(sysfs, name);
  if (typeof tracepoint === 'number') return describeTracepoint(tracepoint);
  return findPfmMeaning(name);
}

function describeTracepoint(id: number): Meaning {
  const code = { type: perfType.tracepoint, config: BigInt(id) };
  return { ...plain, encodings: [createEncoding(code)], isSoftware: true, isKernelOnly: true };
}

function findPfmMeaning(name: string): Meaning | undefined {
  const libpfm = findLibpfm();
  const event = typeof libpfm === 'string' ? undefined : libpfm.encode(name);
  if (event === undefined || typeof event === 'string') return undefined;
  const { modifiers, ...code } = event;
  const isSoftware = code.type === perfType.software || code.type === perfType.tracepoint;
  return { ...plain, encodings: [{ ...createEncoding(code), ...code }], modifiers, isSoftware };
}

function explainPfm(name: string): string {
  const libpfm = findLibpfm();
  const event = typeof libpfm === 'string' ? libpfm : libpfm.encode(name);
  return typeof event === 'string' ? event : '';
}
