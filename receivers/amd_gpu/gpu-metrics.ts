// The file gpu_metrics of amdgpu: a structure with its version in the header. Offsets of the structures in
// drivers/gpu/drm/amd/include/kgd_pp_interface.h; the test verifies them with gcc.

/** The offset of a value, an unsigned integer, and its units per unit of the column. */
export interface Field {
  readonly column: string;
  readonly offset: number;
  readonly bytes: 2 | 4 | 8;
  readonly divisor: number;
}

/** The fields of one version. */
export interface Layout {
  /** Minimum size in bytes. */
  readonly size: number;
  readonly fields: readonly Field[];
  /** Offset of the throttling reasons, as bits that are the same for all GPUs. */
  readonly throttleStatus?: number;
  /** Offset of the cycle counts: all cycles, and those in which each of `residencies` reduced the clocks. */
  readonly residencies?: number;
}

const percent = 100;
const centiPercent = 10_000;
const centi = 100;
const milli = 1000;
/** The unit of the energy accumulator, 2^-16 J, in microjoules. */
const energyUnit = 1e6 / 2 ** 16;

const half = (column: string, offset: number, divisor = 1): Field => ({ column, offset, bytes: 2, divisor });
const word = (column: string, offset: number, divisor: number): Field => ({
  column,
  offset,
  bytes: 4,
  divisor,
});
const energyAt = (offset: number): Field => ({ column: 'energy', offset, bytes: 8, divisor: 1 });

function listHalves(columns: readonly string[], offset: number, divisor = 1): readonly Field[] {
  return columns.map((column, i) => half(column, offset + 2 * i, divisor));
}

const sensors = ['edge', 'junction', 'mem', 'vr_gfx', 'vr_soc', 'vr_mem'].map((one) => `temperature.${one}`);
const memorySensors = [0, 1, 2, 3].map((stack) => `temperature.hbm${stack}`);
const activities = ['utilization.general', 'utilization.memory', 'utilization.video'];

/** Cards before MI300. Before version 1.3 the throttle bits depend on the GPU. */
const early: readonly Field[] = [
  ...listHalves(sensors, 4),
  ...listHalves(activities, 16, percent),
  half('power.averaged', 22),
  energyAt(24),
  ...listHalves(memorySensors, 88),
];
/** MI300 and later. */
const late: readonly Field[] = [
  ...listHalves(['temperature.junction', 'temperature.mem', 'temperature.vr_soc'], 4),
  half('power.instant', 10),
  ...listHalves(activities.slice(0, 2), 12, percent),
];
/** Integrated GPUs: the GPU alone, not the socket. */
const integrated: readonly Field[] = [
  half('temperature.gfx', 4, centi),
  half('temperature.soc', 6, centi),
  half('utilization.general', 28, centiPercent),
  half('utilization.video', 30, centiPercent),
  half('power.averaged', 46, milli),
];

const layouts: Readonly<Record<string, Layout>> = {
  '1.0': {
    size: 76,
    fields: [...listHalves(sensors, 16), ...listHalves(activities, 28, percent), half('power.averaged', 34)],
  },
  '1.1': { size: 96, fields: early },
  '1.2': { size: 104, fields: early },
  '1.3': { size: 120, fields: early, throttleStatus: 112 },
  '1.4': { size: 32, fields: [...late, energyAt(24)] },
  '1.5': { size: 96, fields: [...late, energyAt(88)] },
  // An earlier layout with the same version has 384 bytes, and the energy at 88.
  '1.6': { size: 1664, fields: [...late, energyAt(16)], residencies: 32 },
  '1.7': { size: 64, fields: [...late, energyAt(24)], residencies: 40 },
  '1.8': { size: 64, fields: [...late, energyAt(24)], residencies: 40 },
  // Before version 2.4 the units are undocumented, and vary.
  '2.0': { size: 4, fields: [] },
  '2.1': { size: 4, fields: [] },
  '2.2': { size: 128, fields: [], throttleStatus: 120 },
  '2.3': { size: 128, fields: [], throttleStatus: 120 },
  '2.4': { size: 128, fields: integrated, throttleStatus: 120 },
  '3.0': {
    size: 128,
    fields: [
      half('temperature.gfx', 4, centi),
      half('temperature.soc', 6, centi),
      // Activities are percent or hundredths of a percent, depending on the firmware: smu_v14_0_0_ppt.c.
      word('power.averaged', 124, milli),
    ],
  },
};

/** A table with a known version. */
export interface GpuMetrics {
  /** `1.3`. */
  readonly version: string;
  readonly layout: Layout;
  /** Whether the GPU is in a package with a CPU. */
  readonly isIntegrated: boolean;
}

/**
 * Determines the contents of a table.
 * @returns undefined for unknown versions, and for truncated tables
 */
export function recognizeMetrics(table: Buffer): GpuMetrics | undefined {
  if (table.length < 4) return undefined;
  const version = `${table.readUInt8(2)}.${table.readUInt8(3)}`;
  const layout = layouts[version];
  const size = Math.min(table.length, table.readUInt16LE(0));
  if (layout === undefined || size < layout.size) return undefined;
  return { version, layout, isIntegrated: !version.startsWith('1.') };
}

/** The value of a field in the unit of its column; NaN if all bits are set: the GPU does not have it. */
export function readField(table: Buffer, { offset, bytes, divisor }: Field): number {
  if (bytes === 8) {
    const value = table.readBigUInt64LE(offset);
    return value === 0xffffffffffffffffn ? NaN : Number(value) * energyUnit;
  }
  const value = table.readUIntLE(offset, bytes);
  return value === 256 ** bytes - 1 ? NaN : value / divisor;
}

/** SMU_THROTTLER_* bits in drivers/gpu/drm/amd/pm/swsmu/inc/amdgpu_smu.h, from and to. */
export const throttleReasons: Readonly<Record<string, readonly [from: number, to: number]>> = {
  power: [0, 15],
  current: [16, 31],
  thermal: [32, 45],
  prochot: [46, 55],
  reliability: [56, 63],
};

/** Whether each of `throttleReasons` reduces the clocks: 1 or 0; NaN if unknown. */
export function readThrottle(table: Buffer, offset: number): readonly number[] {
  const bits = table.readBigUInt64LE(offset);
  const isUnknown = bits === 0xffffffffffffffffn;
  return Object.values(throttleReasons).map(([from, to]) => {
    const mask = (1n << BigInt(to - from + 1)) - 1n;
    if (isUnknown) return NaN;
    return (bits >> BigInt(from)) & mask ? 1 : 0;
  });
}

/** The counts after that of all cycles. */
export const residencies = ['prochot', 'power', 'thermal', 'vr_thermal', 'memory_thermal'];

/** The cycle counts: all, and those of each of `residencies`. They wrap at 2^32. */
export function readResidencies(table: Buffer, offset: number): readonly number[] {
  return [0, ...residencies.keys()].map((_, i) => table.readUInt32LE(offset + 4 * i));
}
