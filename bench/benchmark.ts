/** One figure and the one it is compared with. */
export interface Result {
  readonly what: string;
  readonly unit: string;
  readonly ours: number;
  /** The floor in C, or the peer, in the same run. */
  readonly reference: number | undefined;
  /** In words: "at most 1.25x". */
  readonly budget: string;
  readonly ratio: number | undefined;
  readonly met: boolean | undefined;
}

/** Results that have columns of their own. */
export interface Grid {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A comparison that runs its sides in alternation, in one step. */
export interface Benchmark {
  /** As it is named on the command line. */
  readonly name: string;
  /** Takes so long that it runs only when it is named. */
  readonly isLong?: boolean;
  /** @param args what follows its name on the command line; only `compare` takes any */
  measure(args: readonly string[]): Promise<readonly Result[] | Grid>;
}

/** A result whose budget is a ratio to the reference; without `maxRatio` there is none. */
export function compare(
  what: string,
  unit: string,
  { ours, reference }: Pick<Result, 'ours' | 'reference'>,
  maxRatio?: number,
): Result {
  const ratio = reference === undefined ? undefined : ours / reference;
  const met = ratio === undefined || maxRatio === undefined ? undefined : ratio <= maxRatio;
  return {
    what,
    unit,
    ours,
    reference,
    ratio,
    met,
    budget: maxRatio === undefined ? '' : `at most ${maxRatio}x`,
  };
}

/** The middle one, so that a moment in which the machine was busy elsewhere does not count. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
