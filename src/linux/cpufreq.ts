/** No CPU runs at 100 GHz; a driver that gives -1 means some thousand. */
const maxHertz = 1e11;

/** A frequency of the kernel in hertz; NaN when it is impossible or 0, which stands for unknown. */
export function checkHertz(hertz: number): number {
  return hertz > 0 && hertz <= maxHertz ? hertz : NaN;
}

/**
 * Parses a file of cpufreq, in kilohertz.
 * @returns hertz; NaN when the driver does not know: some drivers write "<unknown>", others 0
 * @throws Error when it holds something else
 */
export function parseKilohertz(path: string, text: string): number {
  if (text === '<unknown>') return NaN;
  if (/^-?\d+$/u.test(text)) return checkHertz(1000 * Number(text));
  throw new Error(`Cannot parse ${path}: expected kilohertz, found "${text}"`);
}
