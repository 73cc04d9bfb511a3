import type { Meter } from '@opentelemetry/api';
import type { Clock } from '../linux/clock.js';
import type { ComponentKind, Context } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import type { Log } from '../component/log.js';
import type { Resource } from '../model/series.js';
import type { Sampling } from '../component/sampling.js';

/** What a service lends to its components. */
export interface Environment {
  /** The log of one component; of the service itself, without arguments. */
  logFor(kind?: ComponentKind, id?: string): Log;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly host: Resource;
  readonly sampling: Sampling;
  /** Sees every table that reaches the exporters. */
  readonly observer?: Consumer | undefined;
  /** Called when every receiver that runs has passed on its last table. */
  onFinish?(): void;
  /** Called when a receiver has passed on its last table and could not do all that it was to do. */
  onProblem?(problem: string): void;
}

/** The context of one component. */
export function contextFor(environment: Environment, kind: ComponentKind, id: string): Context {
  const { clock, meter, host } = environment;
  return { id, clock, meter, host, log: environment.logFor(kind, id) };
}
