/** No CPU runs at 100 GHz; a driver that reports -1 would show thousands of GHz. */
const maxHertz = 1e11;

/** A frequency of the kernel in hertz; NaN if it is impossible, or 0, which means unknown. */
export function checkHertz(hertz: number): number {
  return hertz > 0 && hertz <= maxHertz ? hertz : NaN;
}

/**
 * Parses a file of cpufreq, in kilohertz.
 * @returns hertz; NaN if the driver does not know it: some drivers write "<unknown>", others 0
 * @throws Error if the content is something else
 */
export function parseKilohertz(path: string, text: string): number {
  if (text === '<unknown>') return NaN;
  if (/^-?\d+$/u.test(text)) return checkHertz(1000 * Number(text));
  throw new Error(`Cannot parse ${path}: expected kilohertz, found "${text}"`);
}
