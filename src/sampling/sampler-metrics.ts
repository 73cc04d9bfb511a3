import type { Attributes, Meter } from '@opentelemetry/api';
import type { SlotCounts } from './protocol.js';

/** What the collector says of its own sampling. */
export interface SamplerMetrics {
  countRows(rows: number, counts: Readonly<SlotCounts>, attributes: Attributes): void;
  /** A table that was refused, or could not be made. */
  countDropped(rows: number, attributes: Attributes): void;
  countFailure(attributes: Attributes): void;
}

export function createSamplerMetrics(meter: Meter): SamplerMetrics {
  const count = (name: string, unit: string, description: string) =>
    meter.createCounter(`joulemetry.sampler.${name}`, { unit, description });
  const ticks = count('ticks', '{tick}', 'Readings taken');
  const missedTicks = count('missed_ticks', '{tick}', 'Readings left out because an earlier one came late');
  const failures = count('failures', '{failure}', 'Times that a sampler failed and was closed');
  const droppedRows = count('dropped_rows', '{row}', 'Rows that were read and could not be handed on');
  const droppedTables = count('dropped_tables', '{table}', 'Tables that could not be handed on');
  const lateness = createLateness(meter);
  const drop = (tables: number, rows: number, attributes: Attributes) => {
    droppedTables.add(tables, attributes);
    droppedRows.add(rows, attributes);
  };
  return {
    countRows(rows, counts, attributes) {
      ticks.add(rows + counts.droppedRows, attributes);
      missedTicks.add(counts.missedTicks, attributes);
      lateness.record(counts.latenessNs / 1e9, attributes);
      drop(counts.droppedTables, counts.droppedRows, attributes);
    },
    countDropped: (rows, attributes) => drop(1, rows, attributes),
    countFailure: (attributes) => failures.add(1, attributes),
  };
}

function createLateness(meter: Meter) {
  return meter.createHistogram('joulemetry.sampler.lateness', {
    unit: 's',
    description: 'The most that a reading of a table ended after its time',
    advice: { explicitBucketBoundaries: [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 0.1, 1] },
  });
}
