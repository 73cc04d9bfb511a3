import { koffi } from '../koffi.js';
import { nameErrno } from '../libc.js';
import { attributeBytes, bpf, command } from './bpf.js';

// Layout: union bpf_attr of include/uapi/linux/bpf.h, BPF_MAP_*_BATCH and BPF_MAP_*_ELEM.
const batch = { position: 0, nextPosition: 8, keys: 16, values: 24, count: 32, map: 36 } as const;
const element = { map: 0, key: 8 } as const;
const keyBytes = 8;
/** Hardly more entries share a bucket of a hash: the kernel returns whole buckets. */
const batchEntries = 512;

/** Removes entries of a hash map by their values, some at a time, so that a step takes little time in a large map. */
export class StaleEntries {
  readonly #valueBytes: number;
  readonly #keys = Buffer.alloc(keyBytes * batchEntries);
  readonly #values: Buffer;
  /** Where the next batch begins, in the kernel's own terms. */
  readonly #position = Buffer.alloc(8);
  /** Otherwise the next batch is the first one. */
  #isStarted = false;
  readonly #lookUp = Buffer.alloc(attributeBytes);
  readonly #remove = Buffer.alloc(attributeBytes);

  /** @param map of keys of 8 bytes */
  constructor(map: number, valueBytes: number) {
    this.#valueBytes = valueBytes;
    this.#values = Buffer.alloc(valueBytes * batchEntries);
    this.#lookUp.writeBigUInt64LE(koffi.address(this.#position), batch.nextPosition);
    this.#lookUp.writeBigUInt64LE(koffi.address(this.#keys), batch.keys);
    this.#lookUp.writeBigUInt64LE(koffi.address(this.#values), batch.values);
    this.#lookUp.writeUInt32LE(map, batch.map);
    this.#remove.writeUInt32LE(map, element.map);
  }

  /**
   * Looks at the next entries, from the first one again after the last.
   * @param isStale whether the value at an offset is that of an entry to remove
   */
  step(isStale: (values: Buffer, at: number) => boolean): void {
    const count = this.#read();
    for (let i = 0; i < count; i++) {
      if (!isStale(this.#values, i * this.#valueBytes)) continue;
      const key = koffi.address(this.#keys) + BigInt(i * keyBytes);
      this.#remove.writeBigUInt64LE(key, element.key);
      bpf(command.deleteElement, this.#remove);
    }
  }

  /** @returns the number of entries */
  #read(): number {
    const position = this.#isStarted ? koffi.address(this.#position) : 0n;
    this.#lookUp.writeBigUInt64LE(position, batch.position);
    this.#lookUp.writeUInt32LE(batchEntries, batch.count);
    this.#isStarted = bpf(command.lookUpBatch, this.#lookUp) === 0;
    // ENOENT: these are the last ones. After another error, there are none.
    const isRead = this.#isStarted || nameErrno() === 'ENOENT';
    return isRead ? this.#lookUp.readUInt32LE(batch.count) : 0;
  }
}
