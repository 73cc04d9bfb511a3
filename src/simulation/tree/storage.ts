/** What the storage was made to move. */
export interface StorageUse {
  readonly readBytes: bigint;
  readonly writtenBytes: bigint;
}

/** Simulated programs read 40 kB and write 20 kB in a millisecond of CPU time, in whole pages. */
export function storageOf(cpuNs: bigint): StorageUse {
  const pages = cpuNs / 200_000n;
  return { readBytes: pages * 8192n, writtenBytes: pages * 4096n };
}
