// The messages of a thread that reads GPUs.

/** The tasks of a GPU's engines for a process; `memory` is the time of memory accesses. */
export type GpuTask = 'general' | 'encoder' | 'decoder' | 'video' | 'copy' | 'memory';

/** A temperature at which a GPU reduces its clocks or shuts down. */
export interface TemperatureLimit {
  /** The name of the sensor, as in the column of its temperature. */
  readonly sensor: string;
  /** `hw.limit_type`. */
  readonly type: string;
  /** Celsius. */
  readonly degrees: number;
}

/** A GPU, or an instance of one. */
export interface Device {
  /** Its UUID, or its PCI address. */
  readonly id: string;
  /** `NVIDIA`. */
  readonly vendor: string;
  /** Its energy domain: `gpu/0000:65:00.0`. Undefined: it is part of another domain, such as the CPU package. */
  readonly domain: string | undefined;
  /** `energy.interface` for counted energy, and for integrated power. */
  readonly interfaces: { readonly energy: string; readonly power: string };
  /** The tasks that are known for its processes. */
  readonly tasks: readonly GpuTask[];
  /** Whether the utilization by task is published, too. */
  readonly hasTaskUtilization: boolean;
  /** The product name, `NVIDIA H100 80GB HBM3`, or the profile of a MIG instance, `1g.10gb`. */
  readonly name: string;
  /** For a MIG instance, the `hw.id` of its GPU. */
  readonly parent: string | undefined;
  /**
   * Whether it is a MIG instance: its processes use the energy of its parent, and its GPU time is part of its
   * parent's.
   */
  readonly isInstance?: boolean;
  readonly serialNumber: string | undefined;
  readonly firmwareVersion: string | undefined;
  readonly driverVersion: string;
  /** The maximum settable power limit in watts; NaN: unknown. */
  readonly maxWatts: number;
  readonly temperatureLimits: readonly TemperatureLimit[];
  /** The columns of its rows; see `columns.ts`. */
  readonly columns: readonly string[];
  /** The columns of its profiling counters. */
  readonly profileColumns: readonly string[];
}

/** GPU use of a process in a window. */
export interface ProcessSample {
  readonly pid: number;
  /** Percent by task; absent means 0. */
  readonly shares: Readonly<Partial<Record<GpuTask, number>>>;
}

/** The processes of a window, which starts where the previous one ended. Times are CLOCK_MONOTONIC in nanoseconds. */
export interface ProcessUsage {
  readonly fromNs: bigint;
  /** The timestamp of the newest sample, or of the end of a window without samples. */
  readonly toNs: bigint;
  readonly samples: readonly ProcessSample[];
  /** Percent of the window in which the device was busy for none of these processes. */
  readonly unseen: number;
}

/** `drm`: an open file of the kernel's direct rendering manager, for any use. */
export type ContextKind = 'compute' | 'graphics' | 'mps' | 'drm';

/** A context of a process on a device. */
export interface ProcessMemory {
  readonly pid: number;
  readonly context: ContextKind;
  /** NaN: unknown. */
  readonly bytes: number;
}

/** The reading of a device. */
export interface DeviceRow {
  readonly id: string;
  /** CLOCK_MONOTONIC in nanoseconds. */
  readonly atNs: bigint;
  /** One per column; undefined: the device is lost. */
  readonly values: Float64Array | undefined;
  /** The profiling counters, if they were read this time: one per profile column. */
  readonly profile: Float64Array | undefined;
  readonly usage: ProcessUsage | undefined;
  /** Undefined: unknown this time. */
  readonly memory: readonly ProcessMemory[] | undefined;
}

export interface Note {
  readonly level: 'debug' | 'info' | 'warn';
  readonly text: string;
}

export interface Reading {
  /** All devices, if they or their columns differ from the previous reading. */
  readonly devices: readonly Device[] | undefined;
  readonly rows: readonly DeviceRow[];
  readonly notes: readonly Note[];
  /** Why values or whole devices are missing that were there before: each is counted, and logged once. */
  readonly problems: readonly string[];
  /** Why nothing could be read. */
  readonly failure: string | undefined;
}
