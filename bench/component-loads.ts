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
import { factory as topk } from '../processors/topk/factory.js';
import { factory as work } from '../processors/work/factory.js';
import { factory as workloadNames } from '../processors/workload_names/factory.js';
import type { ProcessorFactory } from '../src/component/component.js';
import type { Consumer } from '../src/component/consumer.js';
import { createFakeContext } from '../src/component/fakes.js';
import type { Schema } from '../src/component/schema.js';
import { parseSettings } from '../src/config/settings.js';
import type { Table } from '../src/model/table.js';
import { Batcher } from '../src/otlp/batcher.js';
import { CsvEncoder } from '../src/recording/csv-encoder.js';
import { JsonLinesEncoder } from '../src/recording/json-lines-encoder.js';
import { ParquetEncoder } from '../src/recording/parquet-encoder.js';

/** A component that takes the tables of a load, one after another. */
export interface Subject {
  readonly name: string;
  /** @param tables all tables that it will receive */
  create(tables: readonly Table[]): (table: Table) => void;
}

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

/** A copy of a metric in another unit, and new names for attributes of processes. */
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

/** Every processor, with settings that change the tables. */
export const processors: readonly Subject[] = [
  subjectOf('aggregation', aggregation, {
    interval: '1s',
    aggregations: [{ metrics: ['hw.energy', 'process.cpu.time'], functions: everyFunction }],
  }),
  subjectOf('aggregation, histograms', aggregation, {
    interval: '1s',
    aggregations: [
      { metrics: ['hw.energy', 'process.cpu.time'], functions: ['histogram', 'exponential_histogram'] },
    ],
  }),
  subjectOf('attributes', attributes, { actions: [{ key: 'rack', action: 'insert', value: 'r1' }] }),
  subjectOf('attributes, which sums', attributes, {
    actions: ['hw.id', 'cpu.mode'].map((key) => ({ key, action: 'delete' })),
  }),
  subjectOf('attribution', attribution),
  subjectOf('estimation', estimation),
  subjectOf('cumulative_to_delta', cumulativeToDelta),
  {
    name: 'delta_to_cumulative',
    create: () => consumeWith(create(cumulativeToDelta, {}, create(deltaToCumulative))),
  },
  subjectOf('filter', filter, {
    exclude: [{ attributes: { 'hw.id': 'package-1', 'cpu.mode': 'user' } }],
  }),
  subjectOf('formula', formula, { formulas }),
  subjectOf('batch', batch),
  subjectOf('group_by_attributes', groupByAttributes, { keys: ['hw.id', 'cpu.mode'] }),
  subjectOf('interval', interval),
  subjectOf('memory_limiter', memoryLimiter),
  subjectOf('metrics_transform', metricsTransform, { transforms }),
  subjectOf('metrics_transform, which aggregates', metricsTransform, { transforms: aggregations }),
  subjectOf('metrics_transform, with a preset', metricsTransform, { preset: 'scaphandre' }),
  subjectOf('power', power),
  subjectOf('carbon', carbon),
  subjectOf('cost', cost),
  subjectOf('resource', resource, {
    detectors: [],
    attributes: [{ key: 'rack', action: 'insert', value: 'r1' }],
  }),
  subjectOf('thin', thin),
  subjectOf('topk', topk),
  subjectOf('workload_names', workloadNames, { sources: [] }),
  subjectOf('work', work, { workloads }),
];

function subjectOf<S extends Schema>(name: string, factory: ProcessorFactory<S>, settings?: object): Subject {
  return { name, create: () => consumeWith(create(factory, settings)) };
}

function create<S extends Schema>(
  factory: ProcessorFactory<S>,
  settings: object = {},
  next: Consumer = { consume: () => true },
): Consumer {
  return factory.create(parseSettings(factory.schema, settings), createFakeContext(), next);
}

/** The store behind the page of the Prometheus exporter. */
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

/** The encoders of exporters. Numbers as text, and rows as columns, allocate some heap. */
export const encoders: readonly Subject[] = [
  { name: 'OTLP', create: createOtlp },
  {
    name: 'OTLP, as deltas',
    create() {
      const encode = createOtlp();
      const consume = (table: Table) => {
        encode(table);
        return true;
      };
      return consumeWith(create(cumulativeToDelta, {}, { consume }));
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
      encoder.columns = encoder.findMissing(tables);
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

function consumeWith(consumer: Consumer): (table: Table) => void {
  return (table) => void consumer.consume(table);
}
