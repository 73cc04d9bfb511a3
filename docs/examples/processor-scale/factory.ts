import {
  createPlans,
  deriveSeries,
  type ProcessorFactory,
  type Schema,
  type Series,
} from 'joulemetry/plugin';

const schema = {
  metric: { doc: 'Name of the metric whose values are scaled.', format: 'string', default: 'hw.energy' },
  factor: { doc: 'Factor by which every value is multiplied.', format: 'number', default: 1, min: 0 },
} as const satisfies Schema;

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  create({ metric, factor }, _context, next) {
    const isScaled = (series: Series) => series.metric.name === metric;
    // A series is replaced once, and its successor is reused for every table that follows.
    const replace = createPlans((series: Series) => (isScaled(series) ? deriveSeries(series) : series));
    // Names are compared once for each set of series, not for each point.
    const planOf = createPlans((columns: readonly Series[]) => ({
      series: columns.map(replace),
      factors: Float64Array.from(columns, (series) => (isScaled(series) ? factor : 1)),
    }));
    return {
      start() {},
      consume({ ended, ...table }) {
        const { series, factors } = planOf(table.series);
        const values = table.values.map((value, cell) => value * factors[cell % factors.length]);
        return next.consume({ ...table, series, values, ...(ended && { ended: ended.map(replace) }) });
      },
      shutdown() {},
    };
  },
};
