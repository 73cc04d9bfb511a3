import { elementAt } from '../element.js';
import { describeError } from '../errors.js';
import { findOrAdd } from '../model/plan.js';
import type { Attributes, HistogramKind, Metric, Resource, Series } from '../model/series.js';
import { endedState, parseTime } from './cell-text.js';
import { fixedColumns, parseCsvHeader, parseCsvLine, parseMetricColumn } from './csv-columns.js';
import { isFigureColumn, parseFigures } from './csv-histograms.js';
import type { PointStream, Sink } from './decoder.js';
import { rowOfFigures, type HistogramColumn } from './histogram-columns.js';
import { parseAttributes } from './otlp-json.js';

interface MetricColumn extends Pick<Metric, 'name' | 'unit'> {
  readonly index: number;
}

/** The positions of the fields, from the header. */
interface Layout {
  readonly width: number;
  readonly fixed: Readonly<Record<(typeof fixedColumns)[number], number>>;
  readonly metrics: readonly MetricColumn[];
  /** Of those histogram columns that exist. */
  readonly figures: ReadonlyMap<HistogramColumn, number>;
}

interface MetricCell extends Pick<Metric, 'name' | 'unit'> {
  readonly value: number;
}

/** What the metrics of a row have in common. */
interface RowSubject extends Pick<Series, 'resource' | 'attributes' | 'start'> {
  readonly at: bigint;
  readonly isEnd: boolean;
}

const kinds = ['gauge', 'counter', 'updowncounter'] as const;
const histogramKinds = ['histogram', 'exponential_histogram'] as const;

/** Reads the CSV files of `CsvEncoder`, one after the other. */
export class CsvDecoder {
  readonly #sink: Sink;
  readonly #stream: PointStream;
  readonly #resources = new Map<string, Resource>();
  readonly #attributes = new Map<string, Attributes>();
  readonly #layout: Layout;
  #timeText = '';
  #time = 0n;

  /**
   * @param header the first line of the file
   * @throws Error if it is not the header of such a file
   */
  constructor(header: string, sink: Sink, stream: PointStream) {
    this.#layout = parseHeader(header);
    this.#sink = sink;
    this.#stream = stream;
  }

  /** Reads a line; a malformed one is reported to the sink. */
  line(text: string): void {
    const fields = parseCsvLine(text);
    const { width } = this.#layout;
    if (fields.length !== width) {
      this.#sink.malformed(`expected ${width} fields as in the header, found ${fields.length}`);
      return;
    }
    try {
      this.#readRow(fields);
    } catch (error) {
      this.#sink.malformed(describeError(error));
    }
  }

  #readRow(fields: readonly string[]): void {
    const { fixed, metrics } = this.#layout;
    const field = (name: (typeof fixedColumns)[number]) => elementAt(fields, fixed[name]);
    const subject: RowSubject = {
      at: this.#timeOf(field('time')),
      start: field('start_time') === '' ? 0n : timeOf(field('start_time')),
      resource: this.#resourceOf(field('resource')),
      attributes: this.#attributesOf(field('attributes')),
      isEnd: field('state') === endedState,
    };
    const cells = metrics.flatMap(({ index, name, unit }): MetricCell[] => {
      const text = elementAt(fields, index);
      return text === '' ? [] : [{ name, unit, value: numberOf(text) }];
    });
    const kind = kindOf(field('kind'));
    if (kind === 'histogram' || kind === 'exponential_histogram')
      this.#takeHistogram(kind, subject, cells, fields);
    else this.#takeNumbers({ kind, valueType: field('type') === 'int' ? 'int' : 'double' }, subject, cells);
  }

  #takeNumbers(
    type: Pick<Metric, 'kind' | 'valueType'>,
    { at, isEnd, ...subject }: RowSubject,
    cells: readonly MetricCell[],
  ): void {
    for (const { name, unit, value } of cells) {
      const metric = this.#stream.book.metric({ name, unit, description: '', ...type });
      const record: Series = { metric, ...subject };
      if (isEnd) this.#stream.end(record, at);
      else this.#stream.add(this.#stream.open(record, at), at, value);
    }
  }

  #takeHistogram(
    kind: HistogramKind,
    { at, isEnd, ...subject }: RowSubject,
    cells: readonly MetricCell[],
    fields: readonly string[],
  ): void {
    const [cell] = cells;
    if (cell === undefined || cells.length > 1)
      throw new Error(`expected one metric in the row of a histogram, found ${cells.length}`);
    const { name, unit, value } = cell;
    const record = { metric: this.#stream.book.metric({ name, unit, description: '', kind }), ...subject };
    if (isEnd) {
      this.#stream.end(record, at);
      return;
    }
    const { figures } = this.#layout;
    const fieldOf = (column: HistogramColumn) => fields[figures.get(column) ?? -1];
    const row = rowOfFigures(kind, parseFigures(fieldOf, value));
    this.#stream.addHistogram(this.#stream.open(record, at), at, row);
  }

  /** The rows of an instant are consecutive. */
  #timeOf(text: string): bigint {
    if (text !== this.#timeText) {
      this.#time = timeOf(text);
      this.#timeText = text;
    }
    return this.#time;
  }

  #resourceOf(text: string): Resource {
    return findOrAdd(this.#resources, text, () => this.#stream.book.resource(parseAttributes(text)));
  }

  #attributesOf(text: string): Attributes {
    return findOrAdd(this.#attributes, text, () => this.#stream.book.attributes(parseAttributes(text)));
  }
}

function parseHeader(line: string): Layout {
  const heads = parseCsvHeader(line);
  const missing = fixedColumns.filter((name) => !heads.includes(name));
  if (missing.length > 0) {
    throw new Error(`expected the header of a recording, found none with a column "${missing.join('", "')}"`);
  }
  const fixed = Object.fromEntries(fixedColumns.map((name) => [name, heads.indexOf(name)]));
  // Other columns repeat attributes that are also in `resource` and `attributes`.
  const metrics = heads.flatMap((head, index) => {
    const metric = parseMetricColumn(head);
    return metric ? [{ ...metric, index }] : [];
  });
  const figures = new Map(
    heads.flatMap((head, index) => (isFigureColumn(head) ? [[head, index] as const] : [])),
  );
  // Each has just been looked up by its name.
  return { width: heads.length, fixed: fixed as Layout['fixed'], metrics, figures };
}

function timeOf(text: string): bigint {
  const time = parseTime(text);
  if (time === undefined) {
    throw new Error(`expected an instant such as "2026-01-02T03:04:05.678901234Z", found "${text}"`);
  }
  return time;
}

function kindOf(text: string): Metric['kind'] | HistogramKind {
  const all = [...kinds, ...histogramKinds];
  const kind = all.find((one) => one === text);
  if (kind === undefined) throw new Error(`expected one of ${all.join(', ')}, found "${text}"`);
  return kind;
}

function numberOf(text: string): number {
  // Number('') would be 0.
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isNaN(value) && text !== 'NaN') throw new Error(`expected a number, found "${text}"`);
  return value;
}
