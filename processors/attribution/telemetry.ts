import type { Meter } from '@opentelemetry/api';
import type { Ledger } from './ledger.js';

/**
 * Shows how good the ledger is on the collector's own telemetry.
 * @param find the ledger; undefined: nothing has arrived so far
 * @returns what ends it
 */
export function observeLedger(meter: Meter, find: () => Ledger | undefined): () => void {
  const gauge = (name: string, unit: string, description: string) =>
    meter.createObservableGauge(`joulemetry.attribution.${name}`, { unit, description });
  const counter = (name: string, description: string) =>
    meter.createObservableCounter(`joulemetry.attribution.${name}`, { unit: 's', description });
  const residual = gauge(
    'residual',
    'J',
    'By how much the accounts of the ledger disagree; anything but 0 is a defect',
  );
  const unattributed = gauge(
    'unattributed',
    '1',
    'Part of the energy of the last window that nobody was found for',
  );
  const refresh = gauge('refresh.ratio', '1', 'How much of the last window one refresh of the meter takes');
  const tick = gauge(
    'tick.ratio',
    '1',
    'How much of the last window one tick of the usage takes, by which the CPU time of a process may be off',
  );
  const overlap = counter(
    'overlap',
    'CPU time of consumers beyond the busy time of the machine and its rounding',
  );
  const unmeasured = counter('unmeasured', 'Time for which the energy of a domain was not known');
  const instruments = [residual, unattributed, refresh, tick, overlap, unmeasured];
  const observe: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    const ledger = find();
    if (ledger === undefined) return;
    result.observe(overlap, ledger.consumers.overlapNs / 1e9);
    for (const hardware of ledger.domains.ledgers) {
      result.observe(residual, hardware.residualNj / 1e9, hardware.attributes);
      for (const domain of hardware.domains) {
        const { 'hw.type': type, 'hw.id': id } = domain.series.attributes;
        const of = { 'hw.type': type, 'hw.id': id };
        result.observe(unattributed, domain.unattributedRatio, of);
        result.observe(refresh, domain.refreshRatio, of);
        result.observe(tick, domain.tickRatio, of);
        result.observe(unmeasured, domain.unmeasuredNs / 1e9, of);
      }
    }
  };
  meter.addBatchObservableCallback(observe, instruments);
  return () => meter.removeBatchObservableCallback(observe, instruments);
}
