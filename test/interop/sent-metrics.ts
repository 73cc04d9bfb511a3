import type { Metric } from '../../src/model/series.js';

/** What tests send to a backend that accepts remote writes: a counter and a gauge of one machine. */
export const host = { attributes: { 'host.name': 'node-1', 'os.type': 'linux' } };
export const energy: Metric = {
  name: 'hw.energy',
  unit: 'J',
  description: 'Energy used',
  kind: 'counter',
  valueType: 'double',
};
export const heat: Metric = {
  name: 'hw.temperature',
  unit: 'Cel',
  description: 'How hot',
  kind: 'gauge',
  valueType: 'double',
};
/** Rows of each table. */
export const rows = 20;
export const toNs = (ms: number): bigint => BigInt(ms) * 1_000_000n;
