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

/** As the SDK limits them, the one for all further attribute sets included. */
const maxCells = 2000;
const overflow: Attributes = { 'otel.metric.overflow': true };
const none: Attributes = {};

/** The count under one attribute set. */
interface Cell {
  readonly attributes: Attributes;
  readonly startTime: [seconds: number, nanoseconds: number];
  value: number;
}

/**
 * A counter that finds the count by the object that holds the attributes. The SDK's makes a text of them for each
 * `add`, some microseconds that the pipelines would pay twice for each component that a table passes.
 */
class CellCounter implements Counter {
  readonly descriptor: SumMetricData['descriptor'];
  readonly #byAttributes = new WeakMap<Attributes, Cell>();
  readonly #byText = new Map<string, Cell>();

  constructor(name: string, { description = '', unit = '' }: MetricOptions) {
    this.descriptor = { name, description, unit, valueType: ValueType.DOUBLE };
  }

  /** @param attributes not changed later; the same object each time costs least */
  add(value: number, attributes: Attributes = none): void {
    // A counter never falls: the SDK refuses negative values, too.
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

/** The counters of the collector. The SDK's readers collect them beside its own instruments. */
export class CounterBook implements MetricProducer {
  readonly #counters = new Map<string, CellCounter>();
  readonly #isShown: (name: string) => boolean;

  /** @param isShown whether a level of telemetry has the counter of this name */
  constructor(isShown: (name: string) => boolean) {
    this.#isShown = isShown;
  }

  /** Makes counters here, and all other instruments by a meter of the SDK, which also rounds what are to be integers. */
  createMeter(meter: Meter): Meter {
    const createCounter = (name: string, options: MetricOptions = {}): Counter =>
      options.valueType === ValueType.INT ? meter.createCounter(name, options) : this.#create(name, options);
    // The SDK's meter keeps its state in properties, not in private fields.
    return Object.create(meter, { createCounter: { value: createCounter } }) as Meter; // with one method replaced
  }

  /** As for the SDK, a name stands for one counter, whichever component makes it. */
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
