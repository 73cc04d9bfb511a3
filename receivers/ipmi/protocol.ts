import type { PowerReading } from './dcmi.js';
import type { Sensor } from './sensor-record.js';

// What the main thread and the thread that asks the BMC send each other.

/** What the thread is started with. */
export interface ThreadOptions {
  /** Number of the device. */
  readonly device: number;
  /** Shortest time between two readings of all sensors; Infinity: they are not read. */
  readonly sensorIntervalMs: number;
  /** Sensor that measures the whole host; null: DCMI, or a sensor by its name. */
  readonly hostPowerSensor: string | null;
}

/** What `Get Device ID` reports. */
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

/** Where the power of the host is read; undefined: nowhere so far. */
export type HostSource = 'dcmi' | Sensor | undefined;

/** A reading and its instant, by CLOCK_MONOTONIC in nanoseconds. */
export interface At<Value> {
  readonly atNs: bigint;
  readonly value: Value;
}

/** What a sensor read, by its index among the sensors; NaN: it has no reading. */
export interface SensorValue extends At<number> {
  readonly sensor: number;
}

/** The mean power of the host over a window up to now. */
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
  /** All sensors, where they are others than before. */
  readonly sensors: readonly Sensor[] | undefined;
  /** Undefined where the host has no source. */
  readonly power: At<PowerReading> | undefined;
  readonly averages: readonly RollingAverage[];
  readonly values: readonly SensorValue[];
  readonly notes: readonly Note[];
  /** Why parts could not be read: now, or when they were read last. */
  readonly problems: readonly string[];
}

/** What the thread finds when it starts. */
export interface Opened extends Reading {
  readonly bmc: BmcIdentity;
}
