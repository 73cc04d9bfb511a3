/** A figure and its reference. */
export interface Result {
  readonly what: string;
  readonly unit: string;
  readonly ours: number;
  /** The floor in C, or the peer, measured in the same run. */
  readonly reference: number | undefined;
  /** For display: "at most 1.25x". */
  readonly budget: string;
  readonly ratio: number | undefined;
  readonly met: boolean | undefined;
}

/** Results in columns other than those of `Result`. */
export interface Grid {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A comparison that runs its sides alternately. */
export interface Benchmark {
  /** Name on the command line. */
  readonly name: string;
  /** Takes so long that it runs only when named on the command line. */
  readonly isLong?: boolean;
  /** @param args arguments after the name on the command line; only `compare` accepts any */
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

/** The median, so that moments in which the machine was busy with other work do not count. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
