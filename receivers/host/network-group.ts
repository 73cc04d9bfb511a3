import { KeptFile } from '../../src/linux/kept-file.js';
import type { Metric } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { Counts } from '../../src/scraping/counts.js';
import { CounterTable } from '../../src/scraping/counter-table.js';
import type { CounterColumn } from '../../src/scraping/counters.js';
import type { Group, GroupContext } from './group.js';
import { findNextLine } from '../../src/scraping/lines.js';
import { createNameFilter } from '../../src/scraping/name-filter.js';

const io = counter('system.network.io', 'By', 'Bytes received and transmitted');
const packets = counter('system.network.packet.count', '{packet}', 'Packets received and transmitted');
const errors = counter('system.network.errors', '{error}', 'Packets lost to errors');
const dropped = counter('system.network.packet.dropped', '{packet}', 'Packets dropped without an error');

export const networkMetrics = [io, packets, errors, dropped];

/** Columns of a line of `/proc/net/dev`: eight of each direction, of which the first four are told. */
const receiveField = 0;
const transmitField = 8;
const fields = 16;
const toldFields = 4;
const space = 0x20;

/** What `/proc/net/dev` says. */
export class NetworkGroup implements Group {
  readonly #context: GroupContext;
  readonly #file: KeptFile;
  readonly #counters: CounterTable;
  readonly #read = new Counts(fields);
  readonly #told = new Counts(2 * toldFields);

  constructor(context: GroupContext) {
    this.#context = context;
    this.#file = new KeptFile(`${context.config.procfs}/net/dev`);
    const isWanted = createNameFilter(context.config.network);
    this.#counters = new CounterTable(context.host, (name) =>
      isWanted(name) ? describeInterface(name) : undefined,
    );
  }

  read(): Table[] {
    this.#counters.begin(this.#context.clock.wallNs());
    const text = this.#file.read();
    for (let at = 0; at < text.length; at = findNextLine(text, at)) this.#addLine(text, at);
    return [this.#counters.finish()];
  }

  restart(at: bigint): Table[] {
    return [this.#counters.restart(at)];
  }

  close(): void {
    this.#file.close();
  }

  /** A line that is no interface's, such as the two of the heading, is passed over. */
  #addLine(text: Buffer, from: number): void {
    // Old kernels allow colons in names, and numbers have none.
    const colon = text.subarray(from, findNextLine(text, from)).lastIndexOf(':');
    if (colon < 0 || this.#read.parse(text, from + colon + 1) < fields) return;
    for (let field = 0; field < toldFields; field++) {
      this.#told.copy(2 * field, this.#read, receiveField + field);
      this.#told.copy(2 * field + 1, this.#read, transmitField + field);
    }
    let first = from;
    while (text[first] === space) first++;
    this.#counters.add(text.toString('utf8', first, from + colon), this.#told);
  }
}

function describeInterface(name: string): readonly CounterColumn[] {
  return [io, packets, errors, dropped].flatMap((metric) => {
    // The semantic conventions identify the interface of this one metric by another attribute.
    const key = metric === packets ? 'system.device' : 'network.interface.name';
    return ['receive', 'transmit'].map((direction) => ({
      metric,
      attributes: { [key]: name, 'network.io.direction': direction },
      perUnit: 1,
    }));
  });
}

function counter(name: string, unit: string, description: string): Metric {
  return { name, unit, description, kind: 'counter', valueType: 'int' };
}
