import * as names from '../model/semantic-conventions.js';
import type { AnySeries } from '../model/series.js';
import { attributesText, findAttribute } from '../recording/otlp-json.js';
import { valueTypeOf, type SeriesRecord } from './series-record.js';

// The common tables of all databases: `series` has a row per series, `points` one per reading, and the view
// `measurements` joins them. Each database defines how it stores each kind of column.

/** The kinds of columns. `name`: a text that many rows share. */
export type ColumnKind = 'id' | 'name' | 'text' | 'int' | 'json' | 'time';

/** The content of a cell; null: empty. */
export type Cell = string | bigint | null;

/** A column of the table of series. */
export interface SeriesColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly isRequired: boolean;
  /** Documentation for READMEs. */
  readonly doc: string;
  valueOf(record: SeriesRecord): Cell;
}

/** Names of the tables and of the view. */
export const tableNames = {
  series: 'series',
  points: 'points',
  view: 'measurements',
  histograms: 'histograms',
  histogramView: 'distributions',
} as const;

function required(
  name: string,
  kind: ColumnKind,
  [doc, valueOf]: readonly [doc: string, valueOf: SeriesColumn['valueOf']],
): SeriesColumn {
  return { name, kind, doc, isRequired: true, valueOf };
}

/** A column with the first of these attributes that a series or its resource has. */
function attribute(name: string, kind: 'name' | 'int', attributes: readonly string[]): SeriesColumn {
  const doc = attributes.map((one) => `\`${one}\``).join(', else ');
  const valueOf = ({ series }: SeriesRecord) => findFirst(series, attributes);
  return { name, kind, doc, isRequired: false, valueOf: kind === 'int' ? wholeOf(valueOf) : valueOf };
}

function wholeOf(textOf: (record: SeriesRecord) => string | null): SeriesColumn['valueOf'] {
  return (record) => {
    const text = textOf(record);
    return text !== null && /^-?\d{1,18}$/u.test(text) ? BigInt(text) : null;
  };
}

function findFirst(series: AnySeries, attributes: readonly string[]): string | null {
  for (const name of attributes) {
    const value = findAttribute(series, name);
    if (value !== undefined && value !== '') return String(value);
  }
  return null;
}

const program = [names.ATTR_PROCESS_EXECUTABLE_NAME];
const container = [names.ATTR_CONTAINER_NAME, names.ATTR_K8S_CONTAINER_NAME, names.ATTR_CONTAINER_ID];
const unit = [names.ATTR_SYSTEMD_UNIT];
const pod = [names.ATTR_K8S_POD_NAME, names.ATTR_K8S_POD_UID];
const job = [names.ATTR_SLURM_JOB_ID, names.ATTR_OAR_JOB_ID, names.ATTR_PBS_JOB_ID, names.ATTR_FLUX_JOB_ID];
const namespace = [names.ATTR_K8S_NAMESPACE_NAME];
const owner = [names.ATTR_PROCESS_OWNER];
/** From the smallest group to the largest: a series is named after its workload, not after what contains it. */
const workload = [
  ...program,
  ...container,
  ...unit,
  ...pod,
  ...job,
  ...owner,
  names.ATTR_VM_NAME,
  ...namespace,
];

/** The columns of `series`, in order. */
export const seriesColumns: readonly SeriesColumn[] = [
  required('id', 'id', ['What `series_id` in `points` refers to', ({ id }) => id]),
  required('metric', 'name', ['Name of the metric', ({ series }) => series.metric.name]),
  required('unit', 'name', ['Unit by UCUM: `J`, `W`, `s`, `By`', ({ series }) => series.metric.unit]),
  required('kind', 'name', ['`gauge`, `counter` or `updowncounter`', ({ series }) => series.metric.kind]),
  attribute('host', 'name', [names.ATTR_HOST_NAME]),
  {
    ...attribute('workload', 'name', workload),
    doc: 'What the values describe: the first available of program, container, systemd unit, pod, job, owner, virtual machine, namespace',
  },
  attribute('program', 'name', program),
  attribute('pid', 'int', [names.ATTR_PROCESS_PID]),
  attribute('container', 'name', container),
  attribute('systemd_unit', 'name', unit),
  attribute('pod', 'name', pod),
  attribute('namespace', 'name', namespace),
  attribute('job', 'name', job),
  attribute('owner', 'name', owner),
  attribute('service', 'name', [names.ATTR_SERVICE_NAME]),
  attribute('device', 'name', [names.ATTR_HW_ID]),
  attribute('device_type', 'name', [names.ATTR_HW_TYPE]),
  required('resource', 'json', [
    'Every attribute of the resource',
    ({ series }) => attributesText(series.resource.attributes),
  ]),
  required('attributes', 'json', [
    'Every attribute of the series itself',
    ({ series }) => attributesText(series.attributes),
  ]),
  required('value_type', 'name', ['`int` or `double`', ({ series }) => valueTypeOf(series.metric)]),
  required('description', 'text', ['Description of the metric', ({ series }) => series.metric.description]),
  {
    name: 'start_time',
    kind: 'time',
    isRequired: false,
    doc: 'For counters: when the count was 0. A reset starts another series',
    valueOf: ({ series }) => (series.start === 0n ? null : series.start),
  },
  {
    name: 'end_time',
    kind: 'time',
    isRequired: false,
    doc: 'Last instant of a series that ended; null: it continues, or the agent was killed',
    valueOf: () => null,
  },
];

/** Columns of `series` that the view leaves out: rarely queried ones, and row ids. */
const hidden: ReadonlySet<string> = new Set(['id', 'value_type', 'description']);

/** The columns of `series` in the view, after `time` and `value`. */
export const viewColumns: readonly string[] = seriesColumns
  .map(({ name }) => name)
  .filter((name) => !hidden.has(name));

/** The row of a series. */
export function createSeriesRow(record: SeriesRecord): readonly Cell[] {
  return seriesColumns.map(({ valueOf }) => valueOf(record));
}

/** The definitions of the columns of `series`. */
export function defineColumns(typeOf: (column: SeriesColumn) => string): string {
  return seriesColumns.map((column) => `  ${column.name} ${typeOf(column)}`).join(',\n');
}
