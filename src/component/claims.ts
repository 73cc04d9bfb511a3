/**
 * Who publishes what a machine has once only. Asked for by keys that are paths, broad to narrow, so that a receiver that has
 * a whole has its parts, too: `energy/cpu` is every CPU, `energy/cpu/0` a socket, `energy/cpu/0/1` a die of it.
 *
 * - `energy/<hw.type>/<which>`: the energy of a physical domain, in `hw.energy` or a metric of its own;
 * - `usage`: the CPU time of every process and the busy time of the machine that closes a scan.
 */
export interface Claims {
  /**
   * Asks for something, for as long as this receiver runs. The first to ask has it: receivers start in the order
   * of the configuration, those that yield after the others and those that stand in for others last. What one has
   * may be asked for again.
   * @returns undefined when it is this receiver's; otherwise the id of the one that has it: then it is left out
   */
  claim(key: string): string | undefined;
}

/** For a receiver without others, as in `doctor` and in tests: everything can be had. */
export const freeClaims: Claims = { claim: () => undefined };
