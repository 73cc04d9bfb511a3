import type { Metric } from '../../src/model/series.js';
import { hwCurrent, hwFanSpeed, hwPower, hwTemperature, hwVoltage } from '../../src/model/shared-metrics.js';

/** The types of sensors that are read, as the kernel names them. */
export const channelTypes = ['in', 'curr', 'temp', 'fan', 'power', 'energy'] as const;

export type ChannelType = (typeof channelTypes)[number];

/** One value of a chip. */
export interface Channel {
  readonly type: ChannelType;
  /** The number in the file's name. */
  readonly index: number;
  /** `input` or `average`. */
  readonly item: string;
  readonly path: string;
  readonly label: string | undefined;
  /** What the file's unit is in the one that the kernel documents for the type, where a driver has another one. */
  readonly scale: number;
  /** Of an average: the time that it is taken over, in milliseconds; undefined: not known. */
  readonly windowMs: number | undefined;
  /** The file that says whether the value can be trusted. */
  readonly faultPath: string | undefined;
}

/** A chip with its sensors. */
export interface Chip {
  /** The path of its device below `/sys/devices`, the same after a restart and in any order of drivers. */
  readonly id: string;
  /** What the driver calls it: `coretemp`. */
  readonly name: string;
  /** Which domain an ACPI power meter measures, as the firmware says; names of ACPI devices that it measures. */
  readonly measures: readonly string[];
  readonly channels: readonly Channel[];
}

/** What the readings of a type are. */
export interface ChannelKind {
  /** `hw.type` of the sensor. */
  readonly type: string;
  /** Undefined: of energy, whose metric depends on what is measured. */
  readonly metric: Metric | undefined;
  /** The file's units in one of ours. */
  readonly perUnit: number;
  /** What no sensor shows, in the file's units: a sentinel of the chip or an error of the driver. */
  readonly min: number;
  readonly max: number;
}

/** 400 kW: beyond it is no power of one meter, and could not be integrated exactly. */
export const maxMicrowatts = 4e11;

/** Units by Documentation/hwmon/sysfs-interface.rst. */
export const channelKinds: Readonly<Record<ChannelType, ChannelKind>> = {
  in: { type: 'voltage', metric: hwVoltage, perUnit: 1e3, min: -1e8, max: 1e8 },
  curr: { type: 'current', metric: hwCurrent, perUnit: 1e3, min: -1e8, max: 1e8 },
  temp: { type: 'temperature', metric: hwTemperature, perUnit: 1e3, min: -100_000, max: 250_000 },
  fan: { type: 'fan', metric: hwFanSpeed, perUnit: 1, min: 0, max: 1e6 },
  power: { type: 'power_rail', metric: hwPower, perUnit: 1e6, min: -maxMicrowatts, max: maxMicrowatts },
  energy: { type: 'power_rail', metric: undefined, perUnit: 1e6, min: 0, max: Number.MAX_SAFE_INTEGER },
};

/** The sensor of a channel, `power1`, as other programs call it. */
export function nameSensor({ type, index }: Pick<Channel, 'type' | 'index'>): string {
  return `${type}${index}`;
}
