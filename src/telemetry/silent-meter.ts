import type { Meter } from '@opentelemetry/api';

const instrument = { add() {}, record() {}, addCallback() {}, removeCallback() {} };
const create = () => instrument;

/** Instruments that do nothing. The API's own would cost tens of milliseconds to load. */
export const silentMeter: Meter = {
  createCounter: create,
  createUpDownCounter: create,
  createHistogram: create,
  createGauge: create,
  createObservableCounter: create,
  createObservableGauge: create,
  createObservableUpDownCounter: create,
  addBatchObservableCallback() {},
  removeBatchObservableCallback() {},
};
