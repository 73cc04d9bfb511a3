/** What a meter reports about one thing that it measures. What it does not report is left out, or NaN. */
export interface MeterReading {
  /** `hw.id`, unique and the same after a restart: `shellyplus1pm-a8032ab12345/switch:0`. */
  readonly id: string;
  /** `hw.type`: outlet, phase, inlet. */
  readonly type: string;
  readonly name?: string | undefined;
  /** The id of the reading that has the energy of this one in it. */
  readonly parent?: string | undefined;
  readonly energy?: EnergyCount | undefined;
  readonly watts?: number | undefined;
  /** The time up to the reading that `watts` is the mean of, in milliseconds; the first one counts. */
  readonly windowMs?: number | undefined;
  readonly volts?: number | undefined;
  readonly amperes?: number | undefined;
  readonly celsius?: number | undefined;
  /** Speed of a fan in revolutions per minute, or as a share of its greatest. */
  readonly rpm?: number | undefined;
  readonly fanRatio?: number | undefined;
  readonly state?: HealthState | undefined;
}

/** The `hw.state` of a component. */
export const healthStates = ['ok', 'degraded', 'failed'] as const;

export type HealthState = (typeof healthStates)[number];

/** Energy as a meter counts it. */
export interface EnergyCount {
  /** In steps of the meter, whole. */
  readonly count: number;
  /** The energy of a step. */
  readonly joules: number;
  /** It is counted modulo 2^32. */
  readonly wraps?: boolean;
  /** It is lost when the meter restarts. */
  readonly isVolatile?: boolean;
  /** The step is that of this count: the one of the meter is not known. */
  readonly hidesStep?: boolean;
}
