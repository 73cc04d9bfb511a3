/** A meter's reading of one thing. Values that it does not report are absent or NaN. */
export interface MeterReading {
  /** `hw.id`, unique and stable across restarts: `shellyplus1pm-a8032ab12345/switch:0`. */
  readonly id: string;
  /** `hw.type`: outlet, phase, inlet. */
  readonly type: string;
  readonly name?: string | undefined;
  /** The id of the reading whose energy includes this one. */
  readonly parent?: string | undefined;
  readonly energy?: EnergyCount | undefined;
  readonly watts?: number | undefined;
  /** The averaging time of `watts`, which ends at the reading, in milliseconds; that of the first reading is used. */
  readonly windowMs?: number | undefined;
  readonly volts?: number | undefined;
  readonly amperes?: number | undefined;
  readonly celsius?: number | undefined;
  /** Fan speed in revolutions per minute, or as a fraction of its maximum. */
  readonly rpm?: number | undefined;
  readonly fanRatio?: number | undefined;
  readonly state?: HealthState | undefined;
}

/** The possible `hw.state` of a component. */
export const healthStates = ['ok', 'degraded', 'failed'] as const;

export type HealthState = (typeof healthStates)[number];

/** An energy counter of a meter. */
export interface EnergyCount {
  /** Whole steps of the meter. */
  readonly count: number;
  /** The energy of one step. */
  readonly joules: number;
  /** Whether it counts modulo 2^32. */
  readonly wraps?: boolean;
  /** Whether it is lost when the meter restarts. */
  readonly isVolatile?: boolean;
  /** Steps by which it may fall without a reset: it is the difference of two rounded counters. */
  readonly mayFall?: number;
  /** Whether the step is that of this count only, and the resolution of the meter is unknown. */
  readonly hidesStep?: boolean;
}
