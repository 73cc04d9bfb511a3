import type { Meter } from '@opentelemetry/api';
import { passHistograms, type Consumer } from '../component/consumer.js';
import type { Log } from '../component/log.js';
import { createOutcomeCounters } from '../export/delivery-telemetry.js';
import { countHistograms } from '../model/histogram-table.js';

/**
 * Passes histograms around a processor that does not support them: most work on energy, which is never a
 * histogram. Such a processor's changes to series do not apply to histograms.
 */
export function passAround(processor: Consumer, next: Consumer): Consumer {
  if (processor.consumeHistograms !== undefined) return processor;
  return {
    consume: (table) => processor.consume(table),
    consumeHistograms: (table) => passHistograms(next, table),
  };
}

/**
 * Drops histograms in front of an exporter that has no format for them, with one warning, and counts them as
 * failed. They are accepted: sending them again would not help.
 */
export function leaveOut(
  exporter: Consumer,
  { id, log, meter }: { readonly id: string; readonly log: Log; readonly meter: Meter },
): Consumer {
  if (exporter.consumeHistograms !== undefined) return exporter;
  const { sendFailed } = createOutcomeCounters(meter);
  let hasWarned = false;
  return {
    consume: (table) => exporter.consume(table),
    consumeHistograms(table) {
      sendFailed.add(countHistograms(table), { exporter: id });
      const [first] = table.series;
      if (!hasWarned && first) {
        hasWarned = true;
        log.warn(`Leaving out histograms such as "${first.metric.name}": this exporter writes numbers only`);
      }
      return true;
    },
  };
}
