import { readFileSync } from 'node:fs';

/** A line of a tree's `truth.jsonl`. */
export interface TruthStep {
  /** Unix time in nanoseconds of the truth. */
  readonly timeNs: bigint;
  readonly busy_ns: number;
  readonly domains: Readonly<
    Record<string, { readonly joules: number; readonly idle_joules: number; readonly counter_uj: number }>
  >;
  readonly processes: readonly {
    readonly pid: number;
    readonly cpu_ns: number;
    readonly joules: Readonly<Record<string, number>>;
  }[];
  readonly faults: readonly unknown[];
}

/** Reads the truth of a tree, as far as it is written. */
export function readTruth(root: string): TruthStep[] {
  const lines = readFileSync(`${root}/truth.jsonl`, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const step = JSON.parse(line);
    return Object.assign(step, { timeNs: BigInt(step.time_ns) });
  });
}
