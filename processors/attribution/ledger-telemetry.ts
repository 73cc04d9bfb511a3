import type { Meter } from '@opentelemetry/api';
import {
  ATTR_ENERGY_ATTRIBUTION_MODEL,
  ATTR_HW_ID,
  ATTR_HW_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Ledger } from './ledger.js';
import { RemainderMeter } from './remainder.js';

/**
 * Reports the quality of the ledger as telemetry of the collector.
 * @param find returns the ledger; undefined: no table has arrived yet
 * @returns a function that ends it
 */
export function observeLedger(meter: Meter, find: () => Ledger | undefined): () => void {
  const gauge = (name: string, unit: string, description: string) =>
    meter.createObservableGauge(`joulemetry.attribution.${name}`, { unit, description });
  const counter = (name: string, description: string) =>
    meter.createObservableCounter(`joulemetry.attribution.${name}`, { unit: 's', description });
  const residual = gauge(
    'residual',
    'J',
    'Largest difference between the accounts of the ledger; anything but 0 is a defect',
  );
  const unattributed = gauge(
    'unattributed',
    '1',
    'Share of the energy of the last window that stayed unattributed',
  );
  const error = gauge('error', '1', 'Share of the energy of the last window that may be attributed wrongly');
  const refresh = gauge(
    'refresh.ratio',
    '1',
    'Refresh interval of the meter divided by the length of the last window',
  );
  const tick = gauge(
    'tick.ratio',
    '1',
    'Time by which the CPU time of a running process may lag behind, divided by the length of the last window',
  );
  const floor = gauge(
    'floor.power',
    'W',
    'Power of a domain when nothing runs, used to separate idle energy from the rest',
  );
  const lossRatio = gauge(
    'loss.ratio',
    '1',
    'Power that a host uses beyond its domains for each watt of theirs',
  );
  const lossError = gauge(
    'loss.error',
    '1',
    'Half the 95 % confidence interval of joulemetry.attribution.loss.ratio',
  );
  const countersError = gauge('counters.error', '1', 'Relative error of the energy that events predict');
  const weight = gauge(
    'weight',
    '1',
    'Always 1; energy.attribution.model states by what the energy of the last window was shared',
  );
  const fallback = counter(
    'fallback',
    'Time for which energy was shared by CPU time because its usual weight was not counted',
  );
  const overlap = counter(
    'overlap',
    'CPU time of workloads that exceeds the busy time of the machine by more than its rounding',
  );
  const skew = gauge(
    'skew',
    's',
    'Time between the last boundary of the usage and the last reading of its scan',
  );
  const unmeasured = counter('unmeasured', 'Time for which the energy of a domain was not known');
  const instruments = [
    residual,
    unattributed,
    error,
    refresh,
    tick,
    floor,
    lossRatio,
    lossError,
    countersError,
    weight,
    fallback,
    overlap,
    skew,
    unmeasured,
  ];
  const observe: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    const ledger = find();
    if (ledger === undefined) return;
    result.observe(overlap, ledger.workloads.overlapNs / 1e9);
    result.observe(skew, ledger.skewNs / 1e9);
    for (const hardware of ledger.domains.kinds) {
      result.observe(residual, hardware.residualNj / 1e9, hardware.attributes);
      for (const domain of hardware.domains) {
        const { [ATTR_HW_TYPE]: type, [ATTR_HW_ID]: id } = domain.series.attributes;
        const of = { [ATTR_HW_TYPE]: type, [ATTR_HW_ID]: id };
        result.observe(unattributed, domain.unattributedRatio, of);
        result.observe(error, domain.error, of);
        result.observe(refresh, domain.refreshRatio, of);
        result.observe(tick, domain.tickRatio, of);
        const { current } = domain.floor;
        if (current) result.observe(floor, current.watts, { ...of, source: current.source });
        const loss = domain.meter instanceof RemainderMeter ? domain.meter.loss : undefined;
        if (loss) result.observe(lossRatio, loss.ratio, { ...of, source: loss.source });
        if (loss) result.observe(lossError, loss.halfWidth, { ...of, source: loss.source });
        const { counters, fallbackNs } = domain.weights;
        if (counters) result.observe(countersError, counters.error, of);
        const model = hardware.modelOf(domain.weights.weight);
        result.observe(weight, 1, { ...of, [ATTR_ENERGY_ATTRIBUTION_MODEL]: model });
        result.observe(fallback, fallbackNs / 1e9, of);
        result.observe(unmeasured, domain.unmeasuredNs / 1e9, of);
      }
    }
  };
  meter.addBatchObservableCallback(observe, instruments);
  return () => meter.removeBatchObservableCallback(observe, instruments);
}
