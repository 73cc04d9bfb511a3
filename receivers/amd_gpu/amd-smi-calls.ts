import type { Scratch } from '../../src/linux/optional-library.js';

// Columns that are read with AMD SMI. Numbers of enumerations and layouts: amdsmi.h of ROCm 6.1 to 7.0.

/**
 * Offsets of the current and average socket power in watts in amdsmi_power_info_t, by the first word of the
 * library's version.
 */
export const powerOffsets: Readonly<Record<number, readonly number[]>> = {
  24: [0, 4],
  25: [8, 12],
  26: [8, 12],
};

/** The output of a function, and the columns taken from it. */
export interface Call {
  readonly name: string;
  readonly symbol: string;
  /** Parameters after the handle of the card. */
  readonly parameters: string;
  readonly arguments: readonly number[];
  readonly columns: readonly string[];
  take(scratch: Scratch, column: number): number;
}

/** Offsets of the further outputs of a function, in bytes. */
const [second, third] = [64, 128];

/** The library rounds the unit of 2^-16 J to 15.3 uJ (drivers/gpu/drm/amd/include/kgd_pp_interface.h of Linux). */
const [exactUnit, roundedUnit] = [1e6 / 2 ** 16, 15.3];

const energyCall: Call = {
  name: 'energy counter',
  symbol: 'amdsmi_get_energy_count',
  parameters: 'uintptr_t count, uintptr_t resolution, uintptr_t timestamp',
  arguments: [0, second, third],
  columns: ['energy'],
  take(scratch) {
    const unit = scratch.view.getFloat32(second, true);
    return scratch.u64() * (Math.abs(unit - roundedUnit) < 0.05 ? exactUnit : unit);
  },
};

/** All calls. @param powerOffset one of `powerOffsets` */
export function listCalls(powerOffset: readonly number[]): readonly Call[] {
  const activity = ['utilization.general', 'utilization.memory', 'utilization.video'];
  return [
    energyCall,
    {
      name: 'power',
      symbol: 'amdsmi_get_power_info',
      parameters: 'uintptr_t info',
      arguments: [0],
      columns: ['power.instant', 'power.averaged'],
      take: (scratch, column) => known(scratch.u32(powerOffset[column] ?? 0)),
    },
    {
      name: 'activity',
      symbol: 'amdsmi_get_gpu_activity',
      parameters: 'uintptr_t info',
      arguments: [0],
      columns: activity,
      take: (scratch, column) => known(scratch.u32(4 * column)) / 100,
    },
    ...['usage', 'total'].flatMap((what) =>
      (
        [
          ['memory', 0],
          ['memory.shared', 2],
        ] as const
      ).map(([column, type]): Call => ({
        name: `${column} ${what}`,
        symbol: `amdsmi_get_gpu_memory_${what}`,
        parameters: 'unsigned int type, uintptr_t bytes',
        arguments: [type, 0],
        columns: [`${column}.${what === 'total' ? 'limit' : what}`],
        take: (scratch) => scratch.u64(),
      })),
    ),
    ...['edge', 'junction', 'mem', 'hbm0', 'hbm1', 'hbm2', 'hbm3'].map((sensor, type): Call => ({
      name: `${sensor} temperature`,
      symbol: 'amdsmi_get_temp_metric',
      parameters: 'unsigned int type, unsigned int metric, uintptr_t degrees',
      arguments: [type, 0, 0],
      columns: [`temperature.${sensor}`],
      take: (scratch) => Number(scratch.view.getBigInt64(0, true)),
    })),
  ];
}

/** NaN if all bits are set, of 16 or of 32: the GPU does not have the value. */
function known(value: number): number {
  return value === 0xffff || value === 0xffff_ffff ? NaN : value;
}
