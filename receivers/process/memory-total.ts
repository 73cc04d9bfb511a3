import { KeptFile } from '../../src/linux/kept-file.js';
import { maxBytes } from '../../src/scraping/plausibility.js';
import { parseNumbers } from '../../src/linux/procfs.js';

const label = 'MemTotal:';
const kib = new Float64Array(1);

/** The memory of the machine, which a virtual machine can gain and lose while it runs. */
export class MemoryTotal {
  /** More than any machine has where it is unknown. */
  bytes = maxBytes;
  readonly #file: KeptFile;

  constructor(procfs: string) {
    this.#file = new KeptFile(`${procfs}/meminfo`);
  }

  /** Reads it now. */
  read(): void {
    this.bytes = this.#readKib() * 1024;
    if (!(this.bytes > 0 && this.bytes <= maxBytes)) this.bytes = maxBytes;
  }

  close(): void {
    this.#file.close();
  }

  /** @returns NaN when it cannot be read */
  #readKib(): number {
    try {
      const text = this.#file.read();
      const at = text.indexOf(label);
      return at >= 0 && parseNumbers(text, at + label.length, kib) === 1 ? kib[0] : Number.NaN;
    } catch {
      return Number.NaN;
    }
  }
}
