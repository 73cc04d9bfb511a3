/** A periodic deadline, every `periodNs`, without drift. Nanoseconds of one clock. */
export interface Timer {
  readonly periodNs: number;
  /** The next deadline. */
  deadlineNs: number;
  /** The instant of the last run, or of the start. */
  lastNs: number;
}

/** A timer whose first deadline is one period after `nowNs`. */
export function createTimer(periodNs: number, nowNs: number): Timer {
  return { periodNs, deadlineNs: nowNs + periodNs, lastNs: nowNs };
}

/** The timer with the earliest deadline, the first in the list if two are equal. */
export function findNext<T extends { readonly timer: Timer }>(list: readonly T[]): T | undefined {
  let next: T | undefined;
  for (const one of list) if (next === undefined || one.timer.deadlineNs < next.timer.deadlineNs) next = one;
  return next;
}

/**
 * Moves the deadline to the first one in the future, after a run at `nowNs`. A run ahead of its deadline does
 * not count: it remains due.
 * @returns how many deadlines were missed
 */
export function advance(timer: Timer, nowNs: number): number {
  timer.lastNs = nowNs;
  const lateNs = nowNs - timer.deadlineNs;
  if (lateNs < 0) return 0;
  const missed = Math.floor(lateNs / timer.periodNs);
  timer.deadlineNs += (missed + 1) * timer.periodNs;
  return missed;
}
