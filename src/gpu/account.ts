import { elementAt } from '../element.js';
import { createPlans } from '../model/plan.js';
import {
  ATTR_HW_GPU_TASK,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_PARENT,
  ATTR_HW_TYPE,
} from '../model/semantic-conventions.js';
import type { Attributes, Metric, Resource, Series } from '../model/series.js';
import { createRow, type Table } from '../model/table.js';
import { gpuTime, processGpuTime } from '../model/usage-metrics.js';
import * as metrics from './metrics.js';
import type { ContextKind, Device, GpuTask, ProcessMemory, ProcessSample, ProcessUsage } from './protocol.js';

/** The sample of a process without activity. */
export const idle: ProcessSample = { pid: 0, shares: {} };

/** Tasks that keep engines busy; the others access memory. */
const isEngine = (task: GpuTask): boolean => task !== 'memory';

/** Unix time in nanoseconds. */
export interface WallWindow {
  readonly from: bigint;
  readonly to: bigint;
}

/** What is published about one process on one device. */
export class Account {
  readonly resource: Resource;
  readonly #device: Device;
  readonly #values: Float64Array;
  readonly #memory = new Map<ContextKind, Series>();
  #memorySeries: readonly Series[] = [];
  #usageSeries: readonly Series[] = [];
  #usageAt = 0n;
  seenAt = 0;

  constructor(resource: Resource, device: Device) {
    this.resource = resource;
    this.#device = device;
    this.#values = new Float64Array(listUsage(device).length);
  }

  get series(): readonly Series[] {
    return [...this.#usageSeries, ...this.#memorySeries];
  }

  /** Adds a window that ends at the row, and in which the process had the sample's activity. */
  takeUsage(sample: ProcessSample, { from, to }: WallWindow): Table {
    if (this.#usageSeries.length === 0) this.#usageSeries = this.#createUsageSeries(from);
    const seconds = Number(to - from) / 1e9;
    listUsage(this.#device).forEach(([metric, task], i) => {
      const share = (sample.shares[task] ?? 0) / 100;
      this.#values[i] = metric === processGpuTime ? elementAt(this.#values, i) + share * seconds : share;
    });
    // The clock of the sample timestamps may be adjusted between samples.
    this.#usageAt = to > this.#usageAt ? to : this.#usageAt + 1n;
    return createRow(this.#usageSeries, this.#usageAt, this.#values.slice());
  }

  takeMemory(contexts: readonly ProcessMemory[], at: bigint): Table {
    const isKnown = contexts.every(({ context }) => this.#memory.has(context));
    if (!isKnown) this.#addContexts(contexts, at);
    const values = this.#memorySeries.map((series) => {
      const own = contexts.filter(({ context }) => this.#memory.get(context) === series);
      return own.reduce((sum, { bytes }) => sum + bytes, 0);
    });
    return createRow(this.#memorySeries, at, Float64Array.from(values));
  }

  /** A row without values, for a time at which contexts could not be read. @returns undefined if there are none */
  createMemoryGap(at: bigint): Table | undefined {
    const { length } = this.#memorySeries;
    if (length === 0) return undefined;
    return createRow(this.#memorySeries, at, new Float64Array(length).fill(NaN));
  }

  #addContexts(contexts: readonly ProcessMemory[], start: bigint): void {
    for (const { context } of contexts) {
      if (this.#memory.has(context)) continue;
      const attributes = { ...locate(this.#device), 'hw.gpu.context': context };
      this.#memory.set(context, {
        metric: metrics.processMemory,
        resource: this.resource,
        attributes,
        start,
      });
    }
    this.#memorySeries = [...this.#memory.values()];
  }

  #createUsageSeries(start: bigint): readonly Series[] {
    return listUsage(this.#device).map(([metric, task]) => {
      const attributes = { ...locate(this.#device), [ATTR_HW_GPU_TASK]: task };
      return { metric, resource: this.resource, attributes, start };
    });
  }
}

/** The device in use, and the GPU that it is an instance of. */
function locate({ id, parent, isInstance }: Device): Attributes {
  const isPart = isInstance === true && parent !== undefined;
  return { [ATTR_HW_ID]: id, ...(isPart && { [ATTR_HW_PARENT]: parent }) };
}

/** The usage series. Computed once per device. */
const listUsage = createPlans(({ tasks, hasTaskUtilization }: Device): readonly [Metric, GpuTask][] => [
  ...tasks.filter(isEngine).map((task): [Metric, GpuTask] => [processGpuTime, task]),
  ...(hasTaskUtilization ? tasks : []).map((task): [Metric, GpuTask] => [metrics.processUtilization, task]),
]);

function sumEngines({ shares }: ProcessSample): number {
  const { general = 0, encoder = 0, decoder = 0, video = 0, copy = 0 } = shares;
  return general + encoder + decoder + video + copy;
}

/** What is published about the processes of one device. */
export class DeviceAccounts {
  readonly byPid = new Map<number, Account>();
  readonly #place: Series;
  #total: readonly Series[] = [];
  #seconds = 0;
  #at = 0n;

  constructor(device: Device, resource: Resource) {
    const attributes = { [ATTR_HW_TYPE]: 'gpu', ...locate(device), [ATTR_HW_NAME]: device.name };
    this.#place = { metric: gpuTime, resource, attributes, start: 0n };
  }

  get series(): readonly Series[] {
    return [...this.byPid.values()].flatMap((account) => account.series).concat(this.#total);
  }

  /** Adds a window of the device: the use by all processes, including unknown ones, and by none. */
  takeTotal({ samples, unseen }: ProcessUsage, { from, to }: WallWindow): Table {
    if (this.#total.length === 0) this.#total = [{ ...this.#place, start: from }];
    const percent = samples.reduce((sum, sample) => sum + sumEngines(sample), unseen);
    this.#seconds += (percent / 100) * (Number(to - from) / 1e9);
    this.#at = to > this.#at ? to : this.#at + 1n;
    return createRow(this.#total, this.#at, Float64Array.of(this.#seconds));
  }
}
