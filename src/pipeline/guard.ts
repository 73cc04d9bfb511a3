import type { Counter, Meter } from '@opentelemetry/api';
import { passHistograms, type Consumer } from '../component/consumer.js';
import type { Log } from '../component/log.js';
import { describeError } from '../errors.js';
import { createOutcomeCounters } from '../export/delivery-telemetry.js';
import { countHistograms, type HistogramTable } from '../model/histogram-table.js';
import { countPoints, type Table } from '../model/table.js';
import type { StatusRecord } from './statuses.js';

/** The Collector's counters for the points that pass. */
export interface PassageCounters {
  readonly accepted: Counter;
  readonly refused: Counter;
  /** Identifies the component, for example `{ receiver: 'rapl' }`. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Counters of what a receiver forwarded, with the Collector's names. */
export function receiverCounters(meter: Meter, id: string): PassageCounters {
  return {
    accepted: meter.createCounter('otelcol_receiver_accepted_metric_points', {
      description: 'Points that a receiver passed to the pipelines',
    }),
    refused: meter.createCounter('otelcol_receiver_refused_metric_points', {
      description: 'Points of a receiver that the pipelines refused',
    }),
    attributes: { receiver: id },
  };
}

/** Counters of an exporter without a queue of its own, which would count itself. */
export function exporterCounters(meter: Meter, id: string): PassageCounters {
  const { sent, sendFailed } = createOutcomeCounters(meter);
  return { accepted: sent, refused: sendFailed, attributes: { exporter: id } };
}

/** Counters of the points that enter and leave a processor, with the Collector's names. */
export function processorCounters(meter: Meter, id: string) {
  const attributes = { processor: id, 'otel.signal': 'metrics' };
  const passage = (name: string, description: string): PassageCounters => {
    const counter = meter.createCounter(name, { unit: '{item}', description });
    return { accepted: counter, refused: counter, attributes };
  };
  return {
    incoming: passage('otelcol_processor_incoming_items', 'Points passed to the processor'),
    outgoing: passage('otelcol_processor_outgoing_items', 'Points emitted by the processor'),
  };
}

/** Counts what passes to a consumer. Supports histograms if the consumer does. */
export function countPassage(next: Consumer, { accepted, refused, attributes }: PassageCounters): Consumer {
  return notePassage(next, (taken, points) => (taken ? accepted : refused).add(points, attributes));
}

/** The same, for the status of a component. */
export function countStatus(next: Consumer, status: Pick<StatusRecord, 'count'>): Consumer {
  return notePassage(next, (taken, points) => status.count(taken, points));
}

function notePassage(next: Consumer, note: (taken: boolean, points: number) => void): Consumer {
  const count = (taken: boolean, points: number): boolean => {
    note(taken, points);
    return taken;
  };
  return {
    consume: (table) => count(next.consume(table), countPoints(table)),
    ...takeHistograms(next, (take) => (table) => count(take(table), countHistograms(table))),
  };
}

/** Diverts tables to another consumer while a component is paused or stopped. */
export function bypassUnlessActive(
  next: Consumer,
  elsewhere: Consumer,
  status: Pick<StatusRecord, 'isActive'>,
): Consumer {
  const choose = () => (status.isActive ? next : elsewhere);
  return {
    consume: (table) => choose().consume(table),
    ...takeHistograms(next, () => (table) => passHistograms(choose(), table)),
  };
}

/**
 * Drops tables and counts their points as refused by a component. It accepts them: a sender would only send
 * them again.
 */
export function createDroppingConsumer(status: Pick<StatusRecord, 'count'>): Consumer {
  const drop = (points: number): true => {
    status.count(false, points);
    return true;
  };
  return {
    consume: (table) => drop(countPoints(table)),
    consumeHistograms: (table) => drop(countHistograms(table)),
  };
}

/**
 * Wraps a processor or exporter, so that one that throws because of data loses only its own tables; the failure
 * is logged when it starts and when it ends. Supports histograms if the consumer does.
 */
export function guard(consumer: Consumer, log: Log): Consumer {
  let isFailing = false;
  const attempt = <AnyTable>(take: (table: AnyTable) => boolean, table: AnyTable): boolean => {
    try {
      const taken = take(table);
      if (isFailing) log.info('Recovered, accepting data again');
      isFailing = false;
      return taken;
    } catch (error) {
      if (!isFailing) log.error(`Cannot process a table: ${describeError(error)}`, { error });
      isFailing = true;
      return false;
    }
  };
  const take = (table: Table) => consumer.consume(table);
  return {
    consume: (table) => attempt(take, table),
    ...takeHistograms(consumer, (takeOne) => (table) => attempt(takeOne, table)),
  };
}

type TakeHistograms = (table: HistogramTable) => boolean;

/** The wrapper for histograms: none if the consumer does not support them. */
function takeHistograms(
  consumer: Consumer,
  wrap: (take: TakeHistograms) => TakeHistograms,
): Pick<Consumer, 'consumeHistograms'> {
  if (consumer.consumeHistograms === undefined) return {};
  return { consumeHistograms: wrap((table) => passHistograms(consumer, table)) };
}
