/**
 * Parses the frequency of each CPU from `/proc/cpuinfo`, in hertz by logical CPU number. Only x86 tells it there.
 */
export function parseCpuinfo(text: Buffer): Map<number, number> {
  const frequencies = new Map<number, number>();
  for (let at = 0; ;) {
    const processor = text.indexOf('processor\t:', at, 'latin1');
    const mhz = processor < 0 ? -1 : text.indexOf('\ncpu MHz\t\t:', processor, 'latin1');
    if (mhz < 0) return frequencies;
    frequencies.set(parseValue(text, processor), Math.round(1e6 * parseValue(text, mhz + 1)));
    at = mhz + 1;
  }
}

/** The number that follows the colon of a line. */
function parseValue(text: Buffer, line: number): number {
  const end = text.indexOf('\n', line, 'latin1');
  return Number(text.toString('latin1', text.indexOf(':', line, 'latin1') + 1, end < 0 ? text.length : end));
}
