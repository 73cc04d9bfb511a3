import type { Metric } from './series.js';

// What the ledger publishes (docs/ledger.md). Readers match by name, since tables may come from files and other
// collectors, too.

/**
 * Where the energy of a domain went, by `ledger.part` = idle, attributed or unattributed; the parts add up to what was
 * measured. Attributes as its energy.
 */
export const ledgerEnergy: Metric = {
  name: 'ledger.energy',
  unit: 'J',
  description: 'Where the energy of a hardware domain went; the sum over the parts is the measured energy',
  kind: 'counter',
  valueType: 'double',
};

/** The share of a GPU's energy that is attributed to one of its MIG instances, by `hw.id` and `hw.parent`. */
export const gpuInstanceEnergy: Metric = {
  name: 'hw.gpu.instance.energy',
  unit: 'J',
  description: 'Energy of a GPU attributed to one of its instances; a part of hw.energy of the GPU',
  kind: 'counter',
  valueType: 'double',
};

/** The share of a domain's energy that is attributed to a process. */
export const processEnergy: Metric = {
  name: 'process.energy',
  unit: 'J',
  description: 'Energy attributed to a process',
  kind: 'counter',
  valueType: 'double',
};

/** How far the attributed energy of the last window of a domain may be off. Attributes as its energy. */
export const attributionError: Metric = {
  name: 'attribution.error',
  unit: '1',
  description: 'Share of the energy of a window that may be attributed wrongly, with a confidence of 95 %',
  kind: 'gauge',
  valueType: 'double',
};

/** The idle power by which the energy of a domain is split. Attributes as its energy. */
export const attributionFloor: Metric = {
  name: 'attribution.floor.power',
  unit: 'W',
  description: 'Power of a hardware domain when nothing runs, used to separate idle energy from the rest',
  kind: 'gauge',
  valueType: 'double',
};

/** By how much the accounts of a domain disagree. Attributes as its energy. */
export const attributionResidual: Metric = {
  name: 'attribution.residual',
  unit: 'J',
  description: 'Energy of a hardware domain minus the sum of its parts; anything but 0 is a defect',
  kind: 'gauge',
  valueType: 'double',
};

/** The part of the last window's energy that stayed unattributed. Attributes as its energy. */
export const attributionUnattributed: Metric = {
  name: 'attribution.unattributed',
  unit: '1',
  description: 'Share of the energy of a window that stayed unattributed',
  kind: 'gauge',
  valueType: 'double',
};

/** Refresh interval of the meter divided by the length of the last window. Attributes as its energy. */
export const attributionRefreshRatio: Metric = {
  name: 'attribution.refresh.ratio',
  unit: '1',
  description:
    'Refresh interval of the meter divided by the length of the window; near 1, single windows are noise',
  kind: 'gauge',
  valueType: 'double',
};

/** How much of the last window one tick of the usage takes. Attributes as its energy. */
export const attributionTickRatio: Metric = {
  name: 'attribution.tick.ratio',
  unit: '1',
  description:
    'Time by which the CPU time of a running process may lag behind, divided by the length of the window',
  kind: 'gauge',
  valueType: 'double',
};
