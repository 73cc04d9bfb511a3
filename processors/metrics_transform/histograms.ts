import type { Log } from '../../src/component/log.js';
import { HistogramRow, HistogramRows, type HistogramTable } from '../../src/model/histogram-table.js';
import { createPlans, findOrAdd } from '../../src/model/plan.js';
import { scaleHistogram } from '../../src/model/scale-histogram.js';
import { inheritPublisher, type HistogramMetric, type HistogramSeries } from '../../src/model/series.js';
import type { Shape, ShapesOf } from './shape.js';

/** One output of a histogram: another series, with scaled values. */
interface Output {
  readonly series: HistogramSeries;
  readonly factor: number;
}

/** Applies the names, attributes and units of transforms to histograms. They are not aggregated. */
export class HistogramExpansion {
  readonly #shapesOf: ShapesOf;
  readonly #log: Log;
  readonly #metrics = new Map<string, HistogramMetric>();
  readonly #warned = new Set<string>();
  readonly #outputsOf = createPlans((series: HistogramSeries) => this.#createOutputs(series));
  /** The output series for the rows of a table. */
  readonly #seriesOf = createPlans((series: readonly HistogramSeries[]) =>
    series.flatMap((one) => this.#outputsOf(one).map((output) => output.series)),
  );
  readonly #rows = new HistogramRows();
  readonly #row = new HistogramRow();

  constructor(shapesOf: ShapesOf, log: Log) {
    this.#shapesOf = shapesOf;
    this.#log = log;
  }

  /** @returns the table itself if nothing changes */
  apply(table: HistogramTable): HistogramTable {
    const series = this.#seriesOf(table.series);
    const ended = table.ended && this.#seriesOf(table.ended);
    if (isSame(series, table.series) && isSame(ended ?? [], table.ended ?? [])) return table;
    for (const [number, one] of table.series.entries()) this.#addRow(table, number, one);
    return { ...this.#rows.take(table.epoch), series, ...(ended && { ended }) };
  }

  #addRow(table: HistogramTable, number: number, series: HistogramSeries): void {
    for (const output of this.#outputsOf(series)) {
      const row = this.#row.read(table, number);
      if (output.factor !== 1) scaleHistogram(row, output.factor);
      this.#rows.add(output.series, table.offsets[number] ?? 0, row);
    }
  }

  #createOutputs(series: HistogramSeries): readonly Output[] {
    const shapes = this.#shapesOf({ ...series, metric: standIn(series.metric) });
    if (!shapes.every((shape) => this.#isPossible(shape, series))) return [{ series, factor: 1 }];
    let isUsed = false;
    return shapes.map((shape) => {
      const metric = this.#describe(series.metric, shape);
      const { resource, attributes, factor } = shape;
      const isUnchanged =
        !isUsed &&
        metric === series.metric &&
        resource === series.resource &&
        attributes === series.attributes &&
        factor === 1;
      isUsed ||= isUnchanged;
      if (isUnchanged) return { series, factor };
      const derived = { ...series, metric, resource, attributes };
      inheritPublisher(derived, series);
      return { series: derived, factor };
    });
  }

  #isPossible({ reduction }: Shape, { metric: { name } }: HistogramSeries): boolean {
    if (reduction === undefined) return true;
    if (!this.#warned.has(name)) {
      this.#warned.add(name);
      this.#log.warn(
        `Cannot aggregate "${name}": expected numbers, found histograms; its series are forwarded unchanged`,
      );
    }
    return false;
  }

  /** One object per metric, as with receivers. */
  #describe(from: HistogramMetric, { metric: { name, unit, description } }: Shape): HistogramMetric {
    if (name === from.name && unit === from.unit && description === from.description) return from;
    const { kind } = from;
    const key = JSON.stringify([name, unit, description, kind]);
    return findOrAdd(this.#metrics, key, () => ({ name, unit, description, kind }));
  }
}

/** The properties of a metric that transforms use. */
function standIn({ name, unit, description }: HistogramMetric): Shape['metric'] {
  return { name, unit, description, kind: 'gauge', valueType: 'double' };
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, i) => item === other[i]);
}
