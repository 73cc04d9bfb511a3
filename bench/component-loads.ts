import { SeriesStore } from '../exporters/prometheus/store.js';
import { factory as aggregation } from '../processors/aggregation/factory.js';
import { factory as attributes } from '../processors/attributes/factory.js';
import { factory as attribution } from '../processors/attribution/factory.js';
import { factory as batch } from '../processors/batch/factory.js';
import { factory as carbon } from '../processors/carbon/factory.js';
import { factory as cost } from '../processors/cost/factory.js';
import { factory as cumulativeToDelta } from '../processors/cumulative_to_delta/factory.js';
import { factory as deltaToCumulative } from '../processors/delta_to_cumulative/factory.js';
import { factory as estimation } from '../processors/estimation/factory.js';
import { factory as filter } from '../processors/filter/factory.js';
import { factory as formula } from '../processors/formula/factory.js';
import { factory as groupByAttributes } from '../processors/group_by_attributes/factory.js';
import { factory as interval } from '../processors/interval/factory.js';
import { factory as memoryLimiter } from '../processors/memory_limiter/factory.js';
import { factory as metricsTransform } from '../processors/metrics_transform/factory.js';
import { factory as power } from '../processors/power/factory.js';
import { factory as resource } from '../processors/resource/factory.js';
import { factory as thin } from '../processors/thin/factory.js';
import { factory as work } from '../processors/work/factory.js';
import { factory as workloadNames } from '../processors/workload_names/factory.js';
import type { Consumer } from '../src/component/consumer.js';
import { createFakeContext } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import type { Table } from '../src/model/table.js';
import { Batcher } from '../src/otlp/batcher.js';
import { CsvEncoder } from '../src/recording/csv-encoder.js';
import { JsonLinesEncoder } from '../src/recording/json-lines-encoder.js';
import { ParquetEncoder } from '../src/recording/parquet-encoder.js';

/** Something that takes the tables of a load, one after another. */
export interface Subject {
  readonly name: string;
  /** @param tables all that it will get */
  create(tables: readonly Table[]): (table: Table) => void;
}

const context = createFakeContext();
const sink: Consumer = { consume: () => true };

const formulas = [
  {
    name: 'share',
    kind: 'counter',
    expression: 'energy * used',
    group_by: ['process.pid'],
    inputs: [
      { name: 'energy', metric: 'hw.energy' },
      { name: 'used', metric: 'process.cpu.time', take: 'rate' },
    ],
  },
];

const everyFunction = ['last', 'sum', 'mean', 'min', 'max', 'p50', 'p99'];
const workloads = [
  {
    energy: 'hw.energy',
    match: [],
    background: true,
    units: [{ name: 'cpu_second', metric: 'process.cpu.time' }],
  },
];

/** A copy of what is metered in another unit, and new names for what processes have. */
const transforms = [
  { include: 'hw.energy', action: 'insert', new_name: 'node.energy', new_unit: 'kW.h' },
  { include: '^process\\.(.*)$', match_type: 'regexp', action: 'update', new_name: 'task.$1' },
];

const aggregations = [
  {
    include: 'hw.energy',
    action: 'update',
    operations: [{ action: 'aggregate_labels', label_set: ['hw.type'], aggregation_type: 'sum' }],
  },
  {
    include: '^process\\.measure\\..*',
    match_type: 'regexp',
    action: 'combine',
    new_name: 'process.measure',
    aggregation_type: 'max',
  },
];

/** Every processor, each doing something to the tables. */
export const processors: readonly Subject[] = [
  {
    name: 'aggregation',
    create: () =>
      consumeWith(
        aggregation.create(
          parseSettings(aggregation.schema, {
            interval: '1s',
            aggregations: [{ metrics: ['hw.energy', 'process.cpu.time'], functions: everyFunction }],
          }),
          context,
          sink,
        ),
      ),
  },
  {
    name: 'attributes',
    create: () =>
      consumeWith(
        attributes.create(
          parseSettings(attributes.schema, { actions: [{ key: 'rack', action: 'insert', value: 'r1' }] }),
          context,
          sink,
        ),
      ),
  },
  {
    name: 'attributes, which sums',
    create: () =>
      consumeWith(
        attributes.create(
          parseSettings(attributes.schema, {
            actions: [
              { key: 'hw.id', action: 'delete' },
              { key: 'cpu.mode', action: 'delete' },
            ],
          }),
          context,
          sink,
        ),
      ),
  },
  {
    name: 'attribution',
    create: () => consumeWith(attribution.create(parseSettings(attribution.schema, {}), context, sink)),
  },
  {
    name: 'estimation',
    create: () => consumeWith(estimation.create(parseSettings(estimation.schema, {}), context, sink)),
  },
  {
    name: 'cumulative_to_delta',
    create: () => consumeWith(createMarking(sink)),
  },
  {
    name: 'delta_to_cumulative',
    create: () =>
      consumeWith(
        createMarking(deltaToCumulative.create(parseSettings(deltaToCumulative.schema, {}), context, sink)),
      ),
  },
  {
    name: 'filter',
    create: () =>
      consumeWith(
        filter.create(
          parseSettings(filter.schema, {
            exclude: [{ attributes: { 'hw.id': 'package-1', 'cpu.mode': 'user' } }],
          }),
          context,
          sink,
        ),
      ),
  },
  {
    name: 'formula',
    create: () => consumeWith(formula.create(parseSettings(formula.schema, { formulas }), context, sink)),
  },
  {
    name: 'batch',
    create: () => consumeWith(batch.create(parseSettings(batch.schema, {}), context, sink)),
  },
  {
    name: 'group_by_attributes',
    create: () =>
      consumeWith(
        groupByAttributes.create(
          parseSettings(groupByAttributes.schema, { keys: ['hw.id', 'cpu.mode'] }),
          context,
          sink,
        ),
      ),
  },
  {
    name: 'interval',
    create: () => consumeWith(interval.create(parseSettings(interval.schema, {}), context, sink)),
  },
  {
    name: 'memory_limiter',
    create: () => consumeWith(memoryLimiter.create(parseSettings(memoryLimiter.schema, {}), context, sink)),
  },
  {
    name: 'metrics_transform',
    create: () =>
      consumeWith(
        metricsTransform.create(parseSettings(metricsTransform.schema, { transforms }), context, sink),
      ),
  },
  {
    name: 'metrics_transform, which aggregates',
    create: () =>
      consumeWith(
        metricsTransform.create(
          parseSettings(metricsTransform.schema, { transforms: aggregations }),
          context,
          sink,
        ),
      ),
  },
  {
    name: 'power',
    create: () => consumeWith(power.create(parseSettings(power.schema, {}), context, sink)),
  },
  {
    name: 'carbon',
    create: () => consumeWith(carbon.create(parseSettings(carbon.schema, {}), context, sink)),
  },
  {
    name: 'cost',
    create: () => consumeWith(cost.create(parseSettings(cost.schema, {}), context, sink)),
  },
  {
    name: 'resource',
    create: () =>
      consumeWith(
        resource.create(
          parseSettings(resource.schema, {
            detectors: [],
            attributes: [{ key: 'rack', action: 'insert', value: 'r1' }],
          }),
          context,
          sink,
        ),
      ),
  },
  {
    name: 'thin',
    create: () => consumeWith(thin.create(parseSettings(thin.schema, {}), context, sink)),
  },
  {
    name: 'workload_names',
    create: () =>
      consumeWith(workloadNames.create(parseSettings(workloadNames.schema, { sources: [] }), context, sink)),
  },
  {
    name: 'work',
    create: () => consumeWith(work.create(parseSettings(work.schema, { workloads }), context, sink)),
  },
];

/** What keeps the values that a page of the Prometheus exporter shows. */
export const prometheusStore: Subject = {
  name: 'Prometheus',
  create() {
    const store = new SeriesStore({
      identityLabels: ['process.pid'],
      host: {},
      common: {},
      endedForMs: 1000,
      warn() {},
    });
    return (table) => store.take(table, 0);
  },
};

/** What encodes the points of exporters. Numbers as texts, and rows as columns, take some heap. */
export const encoders: readonly Subject[] = [
  { name: 'OTLP', create: createOtlp },
  {
    name: 'OTLP, as deltas',
    create() {
      const encode = createOtlp();
      return consumeWith(
        createMarking({
          consume(table) {
            encode(table);
            return true;
          },
        }),
      );
    },
  },
  {
    name: 'JSON lines',
    create() {
      const encoder = new JsonLinesEncoder();
      return (table) => {
        encoder.add(table);
        encoder.take();
      };
    },
  },
  {
    name: 'CSV',
    create(tables) {
      const encoder = new CsvEncoder(['host.name', 'hw.id', 'process.pid']);
      encoder.metricColumns = encoder.findMissing(tables);
      return (table) => void Buffer.from(encoder.encode(table));
    },
  },
  {
    name: 'Parquet',
    create() {
      const encoder = new ParquetEncoder(['host.name', 'hw.id', 'process.pid']);
      return (table) => {
        encoder.encode([table]);
        encoder.footer();
      };
    },
  },
];

function createOtlp(): (table: Table) => void {
  const batcher = new Batcher({ maxPoints: 8192, maxBytes: 3.5 * 2 ** 20 }, ({ release }) => release?.());
  return (table) => {
    batcher.add(table);
    batcher.flush();
  };
}

function createMarking(next: Consumer): Consumer {
  return cumulativeToDelta.create(parseSettings(cumulativeToDelta.schema, {}), context, next);
}

function consumeWith(consumer: Consumer): (table: Table) => void {
  return (table) => void consumer.consume(table);
}
