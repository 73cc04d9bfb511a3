/** When something is due: every `periodNs`, at instants that do not drift. Nanoseconds of one clock. */
export interface Timer {
  readonly periodNs: number;
  /** The instant at which it is due next. */
  deadlineNs: number;
  /** The instant at which it was last done, or began. */
  lastNs: number;
}

/** A timer that is due for the first time one period after `nowNs`. */
export function createTimer(periodNs: number, nowNs: number): Timer {
  return { periodNs, deadlineNs: nowNs + periodNs, lastNs: nowNs };
}

/** The one that is due first, the earlier one in the list where two are due together. */
export function findNext<T extends { readonly timer: Timer }>(list: readonly T[]): T | undefined {
  let next: T | undefined;
  for (const one of list) if (next === undefined || one.timer.deadlineNs < next.timer.deadlineNs) next = one;
  return next;
}

/**
 * Moves the deadline to the first one in the future, after what was due has been done at `nowNs`. What was done
 * ahead of its deadline does not count: it stays due.
 * @returns how many deadlines passed without being met
 */
export function advance(timer: Timer, nowNs: number): number {
  timer.lastNs = nowNs;
  const lateNs = nowNs - timer.deadlineNs;
  if (lateNs < 0) return 0;
  const missed = Math.floor(lateNs / timer.periodNs);
  timer.deadlineNs += (missed + 1) * timer.periodNs;
  return missed;
}
