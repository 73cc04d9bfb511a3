import koffi from 'koffi';

/**
 * Where memory lies, for C functions that are called often: they take it as a number at two thirds of what a
 * buffer costs, since nothing needs to be looked up. The memory must be held for as long as the address is used,
 * and not be transferred to another thread.
 */
export function addressOf(memory: ArrayBuffer | SharedArrayBuffer): number {
  // koffi takes shared memory as a view only, and a view of its own keeps none on the heap, where it would move.
  return Number(koffi.address(new Uint8Array(memory)));
}
