import type { OutputFile } from './output-file.js';

const stepBytes = 64 * 1024;
const lineBreak = 10;

/** Where the last whole line of a file ends. What follows was being written when somebody stopped. */
export function findEndOfLines(file: Pick<OutputFile, 'size' | 'read'>): number {
  for (let to = file.size; to > 0;) {
    const from = Math.max(0, to - stepBytes);
    const at = file.read(from, to - from).lastIndexOf(lineBreak);
    if (at >= 0) return from + at + 1;
    to = from;
  }
  return 0;
}
