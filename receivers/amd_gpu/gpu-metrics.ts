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
  /** Offsets of the cycle counts: all cycles, and those in which each of `residencies` reduced the clocks. */
  readonly residencies?: readonly number[];
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

/** The counts after that of all cycles. */
export const residencies = ['prochot', 'power', 'thermal', 'vr_thermal', 'memory_thermal'];

function listResidencies(offset: number): readonly number[] {
  return [0, ...residencies.keys()].map((_, i) => offset + 4 * i);
}

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
  '1.6': { size: 1664, fields: [...late, energyAt(16)], residencies: listResidencies(32) },
  '1.7': { size: 64, fields: [...late, energyAt(24)], residencies: listResidencies(40) },
  '1.8': { size: 64, fields: [...late, energyAt(24)], residencies: listResidencies(40) },
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

/** Attributes of version 1.9 by their number: their columns, unit, and units of the column per unit. */
const attributes: ReadonlyMap<number, readonly [column: string, unit: number, divisor: number]> = new Map([
  [0, ['temperature.junction', 2, 1]],
  [1, ['temperature.mem', 2, 1]],
  [2, ['temperature.vr_soc', 2, 1]],
  [3, ['power.instant', 3, 1]],
  [4, ['utilization.general', 10, percent]],
  [5, ['utilization.memory', 10, percent]],
  [7, ['energy', 0, 1]],
]);
/** The attributes of the cycle counts, in the order of `Layout.residencies`. */
const residencyAttributes = [9, 10, 11, 12, 13, 14];

/**
 * The layout of version 1.9 (MI300, Linux 6.19), which describes itself: the number of attributes, and for each
 * its encoding in 8 bytes and its values, without padding. From the lowest bit, the encoding has the number of
 * values in 10 bits, the attribute in 10, the type in 4 and the unit in 8.
 * @returns undefined if it is truncated, or has a type of unknown size
 */
function parseAttributes(table: Buffer): Layout | undefined {
  const fields: Field[] = [];
  const counts = new Map<number, number>();
  let at = 8;
  for (let left = table.length < at ? 1 : table.readInt32LE(4); left !== 0; left--) {
    if (left < 0 || at + 8 > table.length) return undefined;
    const encoding = table.readUInt32LE(at);
    const [count, attribute, type] = [encoding & 0x3ff, (encoding >> 10) & 0x3ff, (encoding >> 20) & 0xf];
    // Unsigned and signed integers of 8, 16, 32 and 64 bits.
    const bytes = 2 ** (type >> 1);
    if (type > 7) return undefined;
    const offset = at + 8;
    at = offset + bytes * count;
    const [column, unit, divisor = 1] = attributes.get(attribute) ?? [];
    const isEnergy = column === 'energy';
    if (residencyAttributes.includes(attribute) && bytes === 4) counts.set(attribute, offset);
    if (column === undefined || unit !== encoding >>> 24) continue;
    if (isEnergy && bytes === 8) fields.push(energyAt(offset));
    else if (!isEnergy && bytes === 2) fields.push(half(column, offset, divisor));
  }
  if (at > table.length) return undefined;
  const offsets = residencyAttributes.flatMap((attribute) => counts.get(attribute) ?? []);
  const isComplete = offsets.length === residencyAttributes.length;
  return { size: at, fields, ...(isComplete && { residencies: offsets }) };
}

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
  const size = Math.min(table.length, table.readUInt16LE(0));
  const layout = version === '1.9' ? parseAttributes(table.subarray(0, size)) : layouts[version];
  if (layout === undefined || size < layout.size) return undefined;
  return { version, layout, isIntegrated: !version.startsWith('1.') };
}

/** Whether a table has the same version as before, and its size. */
export function isSameVersion(table: Buffer, { version, layout }: GpuMetrics): boolean {
  return (
    table.length >= 4 &&
    `${table.readUInt8(2)}.${table.readUInt8(3)}` === version &&
    Math.min(table.length, table.readUInt16LE(0)) >= layout.size
  );
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

/** The cycle counts: all, and those of each of `residencies`. They wrap at 2^32. */
export function readResidencies(table: Buffer, offsets: readonly number[]): readonly number[] {
  return offsets.map((offset) => table.readUInt32LE(offset));
}
