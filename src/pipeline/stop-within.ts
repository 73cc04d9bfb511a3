import type { Component } from '../component/component.js';
import { describeError } from '../errors.js';
import type { Log } from '../component/log.js';

/** Something that is to stop, with the name that messages give it. */
export interface Stoppable {
  readonly name: string;
  readonly component: Pick<Component, 'shutdown'>;
}

/**
 * Stops a component, or leaves it behind when its time is over. Never rejects.
 * @param deadlineMs on the clock of `performance.now()`
 */
export async function stopWithin(
  { name, component }: Stoppable,
  deadlineMs: number,
  log: Log,
): Promise<void> {
  const leftMs = Math.max(0, deadlineMs - performance.now());
  const timer = new AbortController();
  try {
    await Promise.race([component.shutdown(leftMs), expire(leftMs, timer.signal)]);
  } catch (error) {
    log.error(`Cannot shut down ${name}: ${describeError(error)}`);
  } finally {
    timer.abort();
  }
}

function expire(afterMs: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = () =>
      reject(new Error(`expected an end within ${Math.round(afterMs)} ms, left it behind`));
    const timer = setTimeout(giveUp, afterMs);
    signal.addEventListener('abort', () => clearTimeout(timer));
  });
}
