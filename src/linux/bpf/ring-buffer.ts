import { pageSize } from '../libc.js';
import { closeAll, createMap, mapMemory } from './bpf.js';

// Layout: Documentation/bpf/ringbuf.rst and kernel/bpf/ringbuf.c of Linux. Positions grow without end, modulo 2^64;
// the consumer's page comes first, then the producer's, then the bytes, twice in a row.
const headerBytes = 8;
const busyBit = 0x8000_0000;
const discardBit = 0x4000_0000;

/**
 * Takes records of one size out of a BPF ring buffer, in their order. A record that is being written ends a pass.
 * Not for records beyond 2^53 bytes in all, which is 10,000 years of a thousand deaths a second.
 */
export class RingBuffer {
  readonly fd: number;
  readonly #fds: number[] = [];
  readonly #unmap: (() => void)[] = [];
  readonly #consumer: BigUint64Array;
  readonly #producer: BigUint64Array;
  readonly #words: Uint32Array;
  readonly #mask: number;

  /** @param bytes a power of two and whole pages */
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
   * Passes each finished record to `take`: the words, in which the record begins at `at`. It must not keep them.
   * @returns the number of records
   */
  drain(take: (words: Uint32Array, at: number) => void): number {
    let position = Number(this.#consumer[0]);
    let records = 0;
    // What comes while this runs waits for the next call, so that this ends.
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

  /** Releases the memory and the map. Safe to call again. */
  close(): void {
    for (const unmap of this.#unmap.splice(0)) unmap();
    closeAll(this.#fds);
  }
}
