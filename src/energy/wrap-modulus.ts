const units = 2n ** 32n;
const njPerMicrojoule = 1_000n;
const maxShift = 32n;

/**
 * How much a counter of 32 bits counts from 0 to 0, in nanojoules, exactly. The kernel states only the value of
 * 2^32 - 1 units, in microjoules and rounded down: the unit is found that gives this value. It is a whole number of
 * nanojoules, as the powercap driver has it (61,035 for 2^-14 J: drivers/powercap/intel_rapl_common.c), or a power of
 * two of a joule.
 * @param maxMicrojoules the range; one that no such unit explains wraps one unit of about its 2^-32 beyond it
 * @returns 0 for a range that is not known, or beyond what a double holds exactly
 */
export function findModulusNj(maxMicrojoules: number): bigint {
  if (!Number.isSafeInteger(maxMicrojoules)) return 0n;
  const max = BigInt(maxMicrojoules);
  return findByNanojoules(max) ?? findByPowerOfTwo(max) ?? max * njPerMicrojoule + estimateUnitNj(max);
}

function findByNanojoules(max: bigint): bigint | undefined {
  // The least that is not below the range: another one would be a microjoule and more beyond.
  const unitNj = (max * njPerMicrojoule + units - 2n) / (units - 1n);
  return ((units - 1n) * unitNj) / njPerMicrojoule === max ? units * unitNj : undefined;
}

function findByPowerOfTwo(max: bigint): bigint | undefined {
  for (let shift = 0n; shift <= maxShift; shift++) {
    if (((units - 1n) * 1_000_000n) >> shift === max) return (units * 1_000_000_000n) >> shift;
  }
  return undefined;
}

function estimateUnitNj(max: bigint): bigint {
  const unit = (max + units / 2n) / units;
  return (unit > 0n ? unit : 1n) * njPerMicrojoule;
}
