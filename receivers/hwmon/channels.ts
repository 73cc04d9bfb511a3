import type { Metric } from '../../src/model/series.js';
import { hwCurrent, hwFanSpeed, hwPower, hwTemperature, hwVoltage } from '../../src/model/shared-metrics.js';

/** The sensor types that are read, by the kernel's names. */
export const channelTypes = ['in', 'curr', 'temp', 'fan', 'power', 'energy'] as const;

export type ChannelType = (typeof channelTypes)[number];

/**
 * Maximum wait for a driver, in milliseconds. What has not answered by then does not delay anything else: its row
 * follows with the next ones.
 */
export const answerMs = 1_000;

/** One value of a chip. */
export interface Channel {
  readonly type: ChannelType;
  /** The number in the file name. */
  readonly index: number;
  /** `input` or `average`. */
  readonly item: string;
  readonly path: string;
  readonly label: string | undefined;
  /** The file's unit in the unit that the kernel documents for the type, if a driver deviates. */
  readonly scale: number;
  /** For an average: its averaging time in milliseconds; undefined: unknown. */
  readonly windowMs: number | undefined;
  /** The file that shows whether the value is valid. */
  readonly faultPath: string | undefined;
}

/** A chip with its sensors. */
export interface Chip {
  /** The path of its device below `/sys/devices`, stable across restarts and independent of the order of drivers. */
  readonly id: string;
  /** The driver's name for it: `coretemp`. */
  readonly name: string;
  /** The name that the board gives to a chip as a whole, such as the rail that its only meter measures. */
  readonly label: string | undefined;
  /** For an ACPI power meter: the ACPI devices that it measures, according to the firmware. */
  readonly measures: readonly string[];
  readonly channels: readonly Channel[];
}

/** How the readings of a sensor type are published. */
export interface ChannelKind {
  /** `hw.type` of the sensor. */
  readonly type: string;
  /** Undefined for energy, whose metric depends on what is measured. */
  readonly metric: Metric | undefined;
  /** File units per metric unit. */
  readonly perUnit: number;
  /** The valid range, in the file's units: values outside are a sentinel of the chip or an error of the driver. */
  readonly min: number;
  readonly max: number;
}

/** 400 kW: a single meter cannot measure more, and it could not be integrated exactly. */
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

/** The name of a channel's sensor in other programs, `power1`. */
export function nameSensor({ type, index }: Pick<Channel, 'type' | 'index'>): string {
  return `${type}${index}`;
}
