import type { PowerReading } from './dcmi.js';
import type { Sensor } from './sensor-record.js';

// Messages between the main thread and the thread that reads the BMC.

/** Options of the thread. */
export interface ThreadOptions {
  /** Number of the device. */
  readonly device: number;
  /** Minimum time between two readings of all sensors; Infinity: they are not read. */
  readonly sensorIntervalMs: number;
  /** Sensor that measures the whole host; null: DCMI, or a sensor with a known name. */
  readonly hostPowerSensor: string | null;
}

/** The response to `Get Device ID`. */
export interface BmcIdentity {
  /** IANA enterprise number. */
  readonly manufacturer: number;
  readonly product: number;
  /** `4.22` */
  readonly firmware: string;
  /** `2.0` */
  readonly ipmiVersion: string;
  readonly hasSdrRepository: boolean;
}

/** Where the power of the host is read; undefined: no source found yet. */
export type HostSource = 'dcmi' | Sensor | undefined;

/** A reading and its time, from CLOCK_MONOTONIC in nanoseconds. */
export interface At<Value> {
  readonly atNs: bigint;
  readonly value: Value;
}

/** The value of a sensor, with its index among the sensors; NaN: it has no reading. */
export interface SensorValue extends At<number> {
  readonly sensor: number;
}

/** The mean power of the host over a window that ends now. */
export interface RollingAverage extends At<number> {
  /** `1min` */
  readonly window: string;
}

export interface Note {
  readonly level: 'debug' | 'info' | 'warn';
  readonly text: string;
}

export interface Reading {
  readonly host: HostSource;
  /** All sensors, if they have changed. */
  readonly sensors: readonly Sensor[] | undefined;
  /** Undefined if the host has no source. */
  readonly power: At<PowerReading> | undefined;
  readonly averages: readonly RollingAverage[];
  readonly values: readonly SensorValue[];
  readonly notes: readonly Note[];
  /** Why values could not be read, now or at the last attempt. */
  readonly problems: readonly string[];
}

/** The first message of the thread. */
export interface Opened extends Reading {
  readonly bmc: BmcIdentity;
}
