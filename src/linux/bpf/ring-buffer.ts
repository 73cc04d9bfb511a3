import { pageSize } from '../libc.js';
import { closeAll, createMap, mapMemory } from './bpf.js';

// Layout: Documentation/bpf/ringbuf.rst and kernel/bpf/ringbuf.c of Linux. Positions grow without limit, modulo
// 2^64; the consumer's page is first, then the producer's, then the bytes, twice in a row.
const headerBytes = 8;
const busyBit = 0x8000_0000;
const discardBit = 0x4000_0000;

/**
 * Reads fixed-size records from a BPF ring buffer, in order. A record that is being written ends a pass.
 * Limited to 2^53 bytes in total, 10,000 years at a thousand ends per second.
 */
export class RingBuffer {
  readonly fd: number;
  readonly #fds: number[] = [];
  readonly #unmap: (() => void)[] = [];
  readonly #consumer: BigUint64Array;
  readonly #producer: BigUint64Array;
  readonly #words: Uint32Array;
  readonly #mask: number;

  /** @param bytes a power of two and a multiple of the page size */
  constructor(name: string, bytes: number) {
    this.fd = createMap('ringBuffer', name, { entries: bytes });
    this.#fds.push(this.fd);
    try {
      const consumer = mapMemory(this.fd, 'readWrite', pageSize);
      this.#unmap.push(consumer.unmap);
      const producer = mapMemory(this.fd, 'read', pageSize + 2 * bytes, pageSize);
      this.#unmap.push(producer.unmap);
      this.#consumer = new BigUint64Array(consumer.memory, 0, 1);
      this.#producer = new BigUint64Array(producer.memory, 0, 1);
      this.#words = new Uint32Array(producer.memory, pageSize);
    } catch (error) {
      this.close();
      throw error;
    }
    this.#mask = bytes - 1;
  }

  /**
   * Passes each finished record to `take`: the words, with the record at index `at`. `take` must not keep them.
   * @returns the number of records
   */
  drain(take: (words: Uint32Array, at: number) => void): number {
    let position = Number(this.#consumer[0]);
    let records = 0;
    // Records that arrive meanwhile wait for the next call, so that this one terminates.
    const end = Number(Atomics.load(this.#producer, 0));
    while (position < end) {
      const at = (position % (this.#mask + 1)) >>> 2;
      const header = Atomics.load(this.#words, at);
      if ((header & busyBit) !== 0) break;
      if ((header & discardBit) === 0) {
        take(this.#words, at + headerBytes / 4);
        records++;
      }
      position += headerBytes + (((header & ~discardBit) + 7) & ~7);
    }
    Atomics.store(this.#consumer, 0, BigInt(position));
    return records;
  }

  /** Releases the memory and the map. May be called again. */
  close(): void {
    for (const unmap of this.#unmap.splice(0)) unmap();
    closeAll(this.#fds);
  }
}
