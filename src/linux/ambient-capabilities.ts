import { libc } from './libc.js';

// include/uapi/linux/prctl.h
const prCapAmbient = 47;
const prCapAmbientClearAll = 4;

const prctl = libc.func(
  'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
) as (...args: [option: number, a: number, b: number, c: number, d: number]) => number;

/**
 * Keeps the capabilities that this process was given from the programs that this thread starts from now on. Its
 * own stay. A kernel before 4.3 has none to clear.
 */
export function clearAmbientCapabilities(): void {
  prctl(prCapAmbient, prCapAmbientClearAll, 0, 0, 0);
}
