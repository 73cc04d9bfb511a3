import type { LineFormat } from '../../src/export/line-batcher.js';
import { createPlans } from '../../src/model/plan.js';
import type { AnySeries } from '../../src/model/series.js';
import { cumulate } from '../../src/prometheus/histogram-buckets.js';
import { doubleText, intText, timeText } from '../../src/recording/cell-text.js';

/** Each point as a JSON object on one line. */
export const jsonPoints: LineFormat = {
  describeSeries: (series) => ({
    text: `${headOf(series)}"value":`,
    formatValue: series.metric.valueType === 'int' ? formatInt : formatDouble,
  }),
  endRow: (unixNs) => `,"time":"${timeText(unixNs)}"}\n`,
  formatHistogram(series, unixNs, { count, sum, layout, buckets }) {
    const bounds = cumulate(layout, buckets).map(([le, counted]) => ({ le, count: counted }));
    const body = { count, ...(Number.isFinite(sum) && { sum }), buckets: bounds, time: timeText(unixNs) };
    return `${headOf(series)}${JSON.stringify(body).slice(1)}\n`;
  },
};

/** JSON has no infinity. */
function formatDouble(value: number): string | undefined {
  return Number.isFinite(value) ? doubleText(value) : undefined;
}

function formatInt(value: number): string | undefined {
  return Number.isFinite(value) ? intText(value) : undefined;
}

/** The object up to its value, built once per series. */
const headOf = createPlans(({ metric, resource, attributes, start }: AnySeries): string => {
  const hasStart = metric.kind !== 'gauge' && metric.kind !== 'updowncounter' && start > 0n;
  const head = {
    name: metric.name,
    unit: metric.unit,
    kind: metric.kind,
    ...(hasStart && { start: timeText(start) }),
    resource: resource.attributes,
    attributes,
  };
  return `${JSON.stringify(head).slice(0, -1)},`;
});
