// What a thread that reads GPUs sends to the main thread.

/** What the engines of a GPU do for a process; `memory` is the time in which they read or wrote memory. */
export type GpuTask = 'general' | 'encoder' | 'decoder' | 'video' | 'copy' | 'memory';

/** A temperature at which a GPU lowers its clocks or shuts down. */
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
  /**
   * The domain of energy that it is: `gpu/0000:65:00.0`. Undefined: it is a part of another one, such as the package of
   * the CPU.
   */
  readonly domain: string | undefined;
  /** `energy.interface` of its energy by a counter, and by integrated power. */
  readonly interfaces: { readonly energy: string; readonly power: string };
  /** What its processes are known to do. */
  readonly tasks: readonly GpuTask[];
  /** Whether the share of each task in a window is published, too. */
  readonly hasTaskUtilization: boolean;
  /** The product: `NVIDIA H100 80GB HBM3`, or the profile of a MIG instance: `1g.10gb`. */
  readonly name: string;
  /** What it is a part of: of a MIG instance, its GPU. */
  readonly parent: string | undefined;
  /** Whether its processes use the energy of its parent: a MIG instance. Its GPU time is a part of that of its parent. */
  readonly isInstance?: boolean;
  readonly serialNumber: string | undefined;
  readonly firmwareVersion: string | undefined;
  readonly driverVersion: string;
  /** The greatest power limit that it can be given, in watts; NaN: unknown. */
  readonly maxWatts: number;
  readonly temperatureLimits: readonly TemperatureLimit[];
  /** What the values of its rows are; see `columns.ts`. */
  readonly columns: readonly string[];
  /** The same of its profiles. */
  readonly profileColumns: readonly string[];
}

/** How much of a GPU a process used in a window. */
export interface ProcessSample {
  readonly pid: number;
  /** Percent by task; 0 where there is none. */
  readonly shares: Readonly<Partial<Record<GpuTask, number>>>;
}

/** The processes of a window, which begins where the one before ended. Times are CLOCK_MONOTONIC in nanoseconds. */
export interface ProcessUsage {
  readonly fromNs: bigint;
  /** The timestamp of the newest sample; without samples, where the window ends all the same. */
  readonly toNs: bigint;
  readonly samples: readonly ProcessSample[];
  /** Percent of the window in which the device was busy with what is of no process here. */
  readonly unseen: number;
}

/** `drm`: an open file of the kernel's direct rendering manager, whatever it is used for. */
export type ContextKind = 'compute' | 'graphics' | 'mps' | 'drm';

/** A context of a process on a device. */
export interface ProcessMemory {
  readonly pid: number;
  readonly context: ContextKind;
  /** NaN: unknown. */
  readonly bytes: number;
}

/** What was read of a device. */
export interface DeviceRow {
  readonly id: string;
  /** CLOCK_MONOTONIC in nanoseconds. */
  readonly atNs: bigint;
  /** One per column; undefined: the device is lost. */
  readonly values: Float64Array | undefined;
  /** What the profiling counters say, where that was read this time: one per profile column. */
  readonly profile: Float64Array | undefined;
  readonly usage: ProcessUsage | undefined;
  /** Undefined: not known this time. */
  readonly memory: readonly ProcessMemory[] | undefined;
}

export interface Note {
  readonly level: 'debug' | 'info' | 'warn';
  readonly text: string;
}

export interface Reading {
  /** All devices, where they or their columns differ from those of the reading before. */
  readonly devices: readonly Device[] | undefined;
  readonly rows: readonly DeviceRow[];
  readonly notes: readonly Note[];
  /** Why values of the rows are missing that there were, or whole devices: each is counted, and logged once. */
  readonly problems: readonly string[];
  /** Why nothing could be read. */
  readonly failure: string | undefined;
}
