import { elementAt } from '../../src/element.js';
import { parseNumbers } from '../../src/linux/procfs.js';

const readLabel = Buffer.from('\nread_bytes: ');
const writtenLabel = Buffer.from('\nwrite_bytes: ');
const number = new Float64Array(1);

/** The bytes that a process transferred from and to storage. One object is reused for a whole scan. */
export class ProcessIo {
  readBytes = 0;
  writtenBytes = 0;

  /**
   * Parses `/proc/<pid>/io`.
   * @returns false if the text is not such a file
   */
  parse(bytes: Buffer): boolean {
    this.readBytes = parseAfter(bytes, readLabel);
    this.writtenBytes = parseAfter(bytes, writtenLabel);
    return !Number.isNaN(this.readBytes + this.writtenBytes);
  }

  /** Discards the values, because the file could not be read. */
  forget(): void {
    this.readBytes = NaN;
    this.writtenBytes = NaN;
  }
}

/** The number after a label, or NaN. */
export function parseAfter(bytes: Buffer, label: Buffer): number {
  const at = bytes.indexOf(label);
  if (at < 0 || parseNumbers(bytes, at + label.length, number) === 0) return NaN;
  return elementAt(number, 0);
}
