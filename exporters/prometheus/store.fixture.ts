import type { Attributes, Metric, Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { renderLines } from './page-text.fixture.js';
import { SeriesStore } from './store.js';

/** For tests: the metric of a series, unless another one is given. */
export const energy: Metric = {
  name: 'process.energy',
  unit: 'J',
  description: '',
  kind: 'counter',
  valueType: 'double',
};
/** For tests: the attributes of the machine. */
export const host = { 'host.name': 'here' };

/** For tests: a series of a counter. */
export function seriesOf(resource: Attributes, attributes: Attributes = {}, metric: Metric = energy): Series {
  return { metric, resource: { attributes: resource }, attributes, start: 0n };
}

/** For tests: a store, tables at the instant 0, the lines of its page, and its warnings. */
export function createStore(endedForMs = 60_000) {
  const warnings: string[] = [];
  const store = new SeriesStore({
    identityLabels: ['process.pid', 'process.executable.name', 'service.name', 'host.name'],
    host,
    common: { 'service.name': 'joulemetry' },
    endedForMs,
    warn: (message) => warnings.push(message),
  });
  const take = (series: readonly Series[], values: readonly number[], ended: readonly Series[] = []) =>
    store.take({ ...createRow(series, 0n, Float64Array.from(values)), ended }, 0);
  const lines = (nowMs = 0) => renderLines(store.takeSnapshot(nowMs));
  return { store, take, lines, warnings };
}
