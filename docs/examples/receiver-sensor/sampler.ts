import { closeSync } from 'node:fs';
import { openRegularFile, parseCounter, readFromStart, type OpenSampler } from 'joulemetry/plugin';

/** Reads the counter at every tick through one descriptor, and allocates nothing. */
export const openSampler: OpenSampler<string> = (path) => {
  const fd = openRegularFile(path);
  const text = new Uint8Array(32);
  let [first, latest] = [NaN, NaN];
  return {
    width: 1,
    columns: [path],
    generation: 0,
    read(values, at) {
      // NaN, a gap, when it cannot be read.
      const microjoules = parseCounter(text, readFromStart(fd, text));
      if (microjoules < latest) throw new Error(`Cannot go on with ${path}: the counter was reset`);
      if (Number.isNaN(first)) first = microjoules;
      if (!Number.isNaN(microjoules)) latest = microjoules;
      values[at] = (microjoules - first) / 1e6;
    },
    close: () => closeSync(fd),
  };
};
