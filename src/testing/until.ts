import { setTimeout as sleep } from 'node:timers/promises';

/** Far longer than anything takes on the slowest machine. */
const limitMs = 120_000;

/**
 * For tests: waits until a condition holds.
 * @throws Error naming the condition, if it does not hold within two minutes
 */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > endMs)
      throw new Error(
        `Cannot wait any longer: expected ${String(condition)}, found it false for ${limitMs / 1000} s`,
      );
    await sleep(2);
  }
}
