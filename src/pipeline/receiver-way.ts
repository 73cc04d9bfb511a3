import type { Consumer } from '../component/consumer.js';
import type { Metric } from '../model/series.js';
import type { Environment, Graph } from './graph.js';
import { countPassage, countStatus, receiverCounters } from './guard.js';
import { LiveSeries } from './live-series.js';
import { LoopSet } from './loop-set.js';
import { hasParent, NamedParents } from './parents.js';
import type { ReceiverConfig, RunningReceiver } from './running-receiver.js';
import { refusing, Slot } from './slot.js';
import type { StatusRecord } from './statuses.js';

/** The stages between a receiver and its pipelines, and what is recorded of it. */
export interface ReceiverWay extends Pick<RunningReceiver, 'endSeries' | 'status' | 'loops'> {
  /** The answers it got to whether metrics are consumed. */
  readonly consumed: Map<Metric, boolean>;
  /** Its next consumer. */
  readonly entry: Slot;
  /** The consumer after that, for series that no other receiver publishes. */
  readonly named: Consumer;
}

/** What the stages are connected to. */
interface WayParts {
  readonly graph: Pick<Graph, 'routeOf' | 'claims'>;
  readonly status: StatusRecord;
  /** Puts the stages that all receivers have in front of a consumer. */
  before(next: Consumer): Consumer;
  /** Puts the claims of series in front of a consumer. */
  entryFor(named: Consumer): Consumer;
}

/** Connects a receiver that has not started yet to its pipelines. */
export function createReceiverWay(
  { id, factory }: Pick<ReceiverConfig, 'id' | 'factory'>,
  { meter, clock }: Pick<Environment, 'meter' | 'clock'>,
  { graph, status, before, entryFor }: WayParts,
): ReceiverWay {
  const live = new LiveSeries(graph.routeOf(id));
  // Receivers that nothing can contain need not wait for the others.
  const parents = factory.metrics.some(hasParent) ? new NamedParents(graph.claims, before(live)) : undefined;
  const named = countStatus(countPassage(parents ?? before(live), receiverCounters(meter, id)), status);
  const entry = new Slot();
  entry.target = entryFor(named);
  const loops = new LoopSet(`receiver "${id}"`, status.isPaused);
  status.observed = loops;
  const endSeries = () => {
    // Anything that it still sends is refused.
    entry.target = refusing;
    parents?.release();
    live.end(clock.wallNs());
  };
  return { entry, named, endSeries, status, loops, consumed: new Map() };
}
