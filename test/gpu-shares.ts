/** A reading of a cumulative counter. */
export interface Reading {
  /** Nanoseconds. */
  readonly at: number;
  readonly value: number;
}

type Rows = readonly Reading[];

function interpolate(rows: Rows, at: number): number {
  const after = Math.max(
    1,
    rows.findIndex((row) => row.at >= at),
  );
  const [a, b] = [rows[after - 1], rows[after]];
  return a.value + ((b.value - a.value) * (at - a.at)) / (b.at - a.at);
}

/** The share of a GPU's energy that a process gets by definition: in each window its part of all GPU time. */
export function computeShare(energy: Rows, all: Rows, own: Rows): number {
  // Seconds are counted in whole nanoseconds.
  const countUntil = (rows: Rows, until: number) =>
    Math.round((rows.findLast(({ at }) => at <= until)?.value ?? 0) * 1e9);
  const describe = (at: number) => {
    return { at, all: countUntil(all, at), own: countUntil(own, at), joules: interpolate(energy, at) };
  };
  const [start, end] = [energy[0].at, energy.at(-1)?.at ?? NaN];
  let joules = 0;
  let from = describe(start);
  for (const { at } of all.filter((row) => row.at > start && row.at <= end)) {
    // A window has a new reading of the meter, or it becomes a part of the next one.
    if (!energy.some((reading) => reading.at > from.at && reading.at <= at)) continue;
    const to = describe(at);
    if (to.all > from.all) joules += ((to.joules - from.joules) * (to.own - from.own)) / (to.all - from.all);
    from = to;
  }
  return joules;
}

/**
 * A meter that repeats its first reading is known only after its first change, in the middle between two readings, and is
 * linear from change to change.
 */
export function listChanges(rows: Rows): Reading[] {
  const changed = rows.findIndex(({ value }, i) => i > 0 && value !== rows[i - 1]?.value);
  const changes = rows.filter(({ value }, i) => i >= changed && value !== rows[i - 1]?.value);
  const [first, before] = [changes[0], rows[changed - 1]];
  if (changed < 2 || first === undefined || before === undefined) return changes;
  return [{ ...first, at: first.at - Math.floor((first.at - before.at) / 2) }, ...changes.slice(1)];
}
