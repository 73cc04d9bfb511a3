import { ATTR_HW_ID, ATTR_HW_TYPE } from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import type { Domain } from './domain.js';
import type { Hardware } from './hardware.js';

/** For the log: what was measured is not what is in the accounts. */
export function describeResidual({ attributes, residualNj }: Hardware): string {
  return `Cannot balance the ledger of ${String(attributes[ATTR_HW_TYPE])}: expected 0 nJ, found a difference of ${residualNj} nJ`;
}

/** For the log: there is no part `idle`. */
export function describeUnknownFloor({ series, floor }: Domain): string {
  const name = nameOf(series);
  const remedy = floor.isLearnable ? 'set "floor", or wait until it is learned in quiet' : 'set "floor"';
  return `Cannot tell idle from other energy of ${name}: expected a known floor, found none; ${remedy}`;
}

/** For the log: a weight that is configured was not counted. */
export function describeFallback({ series, weights: { wanted } }: Domain): string {
  const name = nameOf(series);
  return `Sharing energy of ${name} by CPU time where ${needs[wanted.model]}; "weights" wants ${wanted.model}`;
}

/** What is missing, and who counts it. */
const needs: Readonly<Record<string, string>> = {
  frequency_cpu_time:
    'cycles were not counted: receiver "perf" has to count them for the machine, and for processes or cgroups',
  dram:
    'memory traffic was not counted: receiver "resctrl" has to count groups, or "perf" cache misses of the machine, and of ' +
    'processes or cgroups',
};

/** For the log: a meter of the host that does not contain its domains. */
export function describeRefutation({ series, refutation }: Domain): string {
  const { meterWatts = NaN, domainWatts = NaN, slope } = refutation ?? {};
  const growth = slope === undefined ? '' : `, and ${slope.toFixed(2)} W more for each watt more of them`;
  return (
    `Leaving out what "${series.attributes[ATTR_HW_ID]}" uses beyond its domains: it shows ` +
    `${meterWatts.toFixed(1)} W while they use ${domainWatts.toFixed(1)} W${growth}, ` +
    'so it does not contain them, or counts in another unit'
  );
}

function nameOf({ attributes }: Series): string {
  return `${attributes[ATTR_HW_TYPE]} "${attributes[ATTR_HW_ID]}"`;
}
