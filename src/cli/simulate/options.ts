import { describeDuration, parseDuration } from '../../config/formats.js';
import { UsageError } from '../../errors.js';
import { parseOptions } from '../../parse-options.js';
import { parseFault, type ReadFault } from '../../simulation/fault.js';
import { createDomains, createSpec, type MachineSpec } from '../../simulation/machine-spec.js';
import type { TreeOptions } from '../../simulation/tree/write-tree.js';

/** What the command line of `simulate` asks for. */
export interface SimulateOptions extends TreeOptions {
  /** Folder of the tree; undefined: no tree, a summary. */
  readonly tree: string | undefined;
  readonly isJson: boolean;
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const options = {
  seed: text,
  duration: text,
  tree: text,
  period: text,
  sockets: text,
  cpus: text,
  gpus: text,
  processes: text,
  arrivals: text,
  spread: text,
  refresh: text,
  jitter: text,
  torn: text,
  failed: text,
  empty: text,
  fault: { type: 'string', multiple: true },
  pmu: flag,
  json: flag,
} as const;

/** Range of a numeric option. */
interface Range {
  readonly least: number;
  readonly most: number;
  readonly isWhole: boolean;
}

const count = (least: number, most: number): Range => ({ least, most, isWhole: true });
const share: Range = { least: 0, most: 1, isWhole: false };
const ranges = {
  seed: count(0, Number.MAX_SAFE_INTEGER),
  sockets: count(1, 64),
  cpus: count(1, 1024),
  gpus: count(0, 64),
  processes: count(0, 100_000),
  arrivals: { least: 0, most: 1000, isWhole: false },
  spread: share,
  jitter: share,
  torn: share,
  failed: share,
  empty: share,
} as const satisfies Readonly<Record<string, Range>>;

/**
 * Parses the command line.
 * @throws UsageError when an option is unknown, has a wrong value, or does not go with the others
 */
export function parseSimulateOptions(args: readonly string[]): SimulateOptions {
  const { values } = parseOptions({ args: [...args], options });
  const { tree, pmu: hasPmu = false, json: isJson = false } = values;
  if (tree === '') throw new UsageError('Cannot use --tree: expected a folder, found nothing');
  if (tree !== undefined && isJson)
    throw new UsageError(
      'Cannot use --json: expected no --tree, found both; truth.jsonl in the tree has the same',
    );
  if (tree === undefined) refuseTreeOptions(values);
  const durationMs = durationOf('duration', values.duration, 1);
  return {
    spec: createSpecOf(values),
    durationUs: durationMs === undefined ? undefined : Math.round(durationMs * 1000),
    tree,
    periodMs: durationOf('period', values.period, 1) ?? 10,
    hasPmu,
    isJson,
  };
}

function refuseTreeOptions(values: Values): void {
  const given = (['pmu', 'period'] as const).filter((name) => values[name] !== undefined);
  if (given.length === 0) return;
  const names = given.map((name) => `--${name}`).join(' and ');
  throw new UsageError(`Cannot use ${names}: expected --tree, found none`);
}

type Values = Readonly<Partial<Record<string, string | boolean | string[]>>>;

function createSpecOf(values: Values): MachineSpec {
  const standard = createSpec();
  const number = (name: keyof typeof ranges, fallback: number) => numberOf(name, values[name]) ?? fallback;
  const shareOf = (kind: ReadFault) => number(kind, standard.faultShares[kind]);
  const refreshMs = durationOf('refresh', values['refresh'], 0.002);
  const spec: MachineSpec = {
    ...standard,
    seed: number('seed', standard.seed),
    sockets: number('sockets', standard.sockets),
    cpusPerSocket: number('cpus', standard.cpusPerSocket),
    gpus: number('gpus', standard.gpus),
    processes: number('processes', standard.processes),
    arrivalsPerSecond: number('arrivals', standard.arrivalsPerSecond),
    spread: number('spread', standard.spread),
    jitter: number('jitter', standard.jitter),
    refreshUs: refreshMs === undefined ? standard.refreshUs : Math.round(refreshMs * 1000),
    faultShares: { torn: shareOf('torn'), failed: shareOf('failed'), empty: shareOf('empty') },
  };
  const domains = createDomains(spec).map(({ name }) => name);
  checkShares(spec.faultShares);
  const cpus = spec.sockets * spec.cpusPerSocket;
  const faults = Array.isArray(values['fault']) ? values['fault'] : [];
  return { ...spec, faults: faults.map((fault) => parseFault(fault, domains, cpus)) };
}

function checkShares({ torn, failed, empty }: MachineSpec['faultShares']): void {
  if (torn + failed + empty <= 1) return;
  throw new UsageError(
    'Cannot combine --torn, --failed and --empty: expected a sum of at most 1, found more',
  );
}

function numberOf(name: keyof typeof ranges, value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const { least, most, isWhole } = ranges[name];
  const number = value.trim() === '' ? NaN : Number(value);
  if (number >= least && number <= most && (!isWhole || Number.isSafeInteger(number))) return number;
  const kind = isWhole ? 'a whole number' : 'a number';
  const upTo = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
  throw new UsageError(`Cannot use --${name}: expected ${kind} ${upTo}, found "${value}"`);
}

function durationOf(name: string, value: unknown, minMs: number): number | undefined {
  if (typeof value !== 'string') return undefined;
  const ms = parseDuration(value);
  if (ms !== undefined && ms >= minMs) return ms;
  throw new UsageError(
    `Cannot use --${name}: expected a duration such as "1s" of at least ${describeDuration(minMs)}, found "${value}"`,
  );
}
