import { ValueType, type Attributes, type Counter, type Meter, type MetricOptions } from '@opentelemetry/api';
import { hrTime } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type CollectionResult,
  type MetricProducer,
  type SumMetricData,
} from '@opentelemetry/sdk-metrics';
import { findOrAdd } from '../model/plan.js';

/** The SDK's limit, including the attribute set for overflow. */
const maxCells = 2000;
const overflow: Attributes = { 'otel.metric.overflow': true };
const none: Attributes = {};

/** The count for one attribute set. */
interface Cell {
  readonly attributes: Attributes;
  readonly startTime: [seconds: number, nanoseconds: number];
  value: number;
}

/**
 * A counter that looks up the count by attributes object. The SDK's counter builds a text of them for each
 * `add`, which takes a few microseconds, twice for each component that a table passes through.
 */
class CellCounter implements Counter {
  readonly descriptor: SumMetricData['descriptor'];
  readonly #byAttributes = new WeakMap<Attributes, Cell>();
  readonly #byText = new Map<string, Cell>();

  constructor(name: string, { description = '', unit = '' }: MetricOptions) {
    this.descriptor = { name, description, unit, valueType: ValueType.DOUBLE };
  }

  /** @param attributes must not be changed later; reusing the same object is fastest */
  add(value: number, attributes: Attributes = none): void {
    // A counter never decreases: the SDK rejects negative values, too.
    if (value >= 0) (this.#byAttributes.get(attributes) ?? this.#find(attributes)).value += value;
  }

  collect(endTime: Cell['startTime']): SumMetricData {
    return {
      descriptor: this.descriptor,
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      dataPoints: Array.from(this.#byText.values(), (cell) => ({ ...cell, endTime })),
    };
  }

  #find(attributes: Attributes): Cell {
    const text = describeAttributes(attributes);
    const isFull = this.#byText.size >= maxCells - 1 && !this.#byText.has(text);
    const cell = isFull
      ? this.#findCell(describeAttributes(overflow), overflow)
      : this.#findCell(text, attributes);
    this.#byAttributes.set(attributes, cell);
    return cell;
  }

  #findCell(text: string, attributes: Attributes): Cell {
    return findOrAdd(this.#byText, text, () => ({ attributes, startTime: hrTime(), value: 0 }));
  }
}

function describeAttributes(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The counters of the collector. The SDK's readers collect them together with its own instruments. */
export class CounterRegistry implements MetricProducer {
  readonly #counters = new Map<string, CellCounter>();
  readonly #isShown: (name: string) => boolean;

  /** @param isShown whether the telemetry level includes the counter with this name */
  constructor(isShown: (name: string) => boolean) {
    this.#isShown = isShown;
  }

  /** Creates counters here, and all other instruments with a meter of the SDK, which also rounds integers. */
  createMeter(meter: Meter): Meter {
    const createCounter = (name: string, options: MetricOptions = {}): Counter =>
      options.valueType === ValueType.INT ? meter.createCounter(name, options) : this.#create(name, options);
    // The SDK's meter keeps its state in properties, not in private fields.
    return Object.create(meter, { createCounter: { value: createCounter } }) as Meter; // With one method replaced.
  }

  /** As in the SDK, a name identifies one counter, whichever component creates it. */
  #create(name: string, options: MetricOptions): CellCounter {
    return findOrAdd(this.#counters, name, () => new CellCounter(name, options));
  }

  collect(): Promise<CollectionResult> {
    const endTime = hrTime();
    const metrics = [...this.#counters.values()]
      .filter(({ descriptor }) => this.#isShown(descriptor.name))
      .map((counter) => counter.collect(endTime))
      .filter(({ dataPoints }) => dataPoints.length > 0);
    const scopeMetrics = metrics.length === 0 ? [] : [{ scope: { name: 'joulemetry' }, metrics }];
    return Promise.resolve({ resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] });
  }
}
