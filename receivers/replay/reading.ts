import { describeError } from '../../src/errors.js';
import { PointStream } from '../../src/recording/decoder.js';
import type { RecordedTable } from '../../src/recording/recorded-table.js';
import type { Introduction, Parcel } from '../../src/recording/table-parcel.js';
import type { Config } from './config.js';
import { readFile, type FileSink } from './recorded-file.js';

/** Maximum malformed lines of a file that are named. */
const namedLines = 10;

/** Results of reading files, apart from tables, since they were last taken. */
export interface Findings {
  /** Lines for the log. */
  readonly notes: readonly { readonly level: 'info' | 'warn' | 'error'; readonly text: string }[];
  readonly lostLines: number;
  readonly unsupportedPoints: number;
  readonly unreadFiles: number;
}

export const nothingFound: Findings = { notes: [], lostLines: 0, unsupportedPoints: 0, unreadFiles: 0 };

/** Options of the reading thread. */
export interface ReadingOrder {
  readonly paths: readonly string[];
  readonly format: Config['format'];
}

/** `done`: everything is read. */
export type ReadingMessage =
  | { readonly type: 'begin'; readonly path: string }
  | { readonly type: 'introduce'; readonly introduction: Introduction }
  | { readonly type: 'tables'; readonly parcel: Parcel; readonly findings: Findings }
  | { readonly type: 'done' };

/** The main thread has taken a message and requests another one. */
export type ReadingReply = 'more';

/** Receives what was read. Waits until there is room for more. */
export interface Outlet {
  give(tables: readonly RecordedTable[], findings: Findings): Promise<void>;
  /** Called before a file is read. */
  begin(path: string): void;
}

/** Reads files one after the other. A series is the same object in all of them. */
export class Reading {
  readonly #outlet: Outlet;
  readonly #stream = new PointStream({
    table: (table) => void this.#tables.push(table),
    histograms: (table) => void this.#tables.push(table),
  });
  readonly #unsupported = new Set<string>();
  readonly #tables: RecordedTable[] = [];
  #findings = nothingFound;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  /** Reads all files. */
  async run(paths: readonly string[], format: Config['format']): Promise<void> {
    for (const path of paths) {
      this.#outlet.begin(path);
      await this.#read(path, format);
    }
    this.#stream.flush();
    await this.#give();
  }

  async #read(path: string, format: Config['format']): Promise<void> {
    const tally = { malformed: 0 };
    try {
      const sink = this.#createSink(path, tally);
      for await (const _ of readFile(path, format, { sink, stream: this.#stream })) await this.#give();
    } catch (error) {
      this.#count('unreadFiles', 1);
      this.#note('error', `Cannot read ${path}: ${describeError(error)}`);
    }
    if (tally.malformed > namedLines) {
      this.#note('warn', `Skipped ${tally.malformed} lines of ${path} that cannot be read`);
    }
    await this.#give();
  }

  async #give(): Promise<void> {
    const findings = this.#findings;
    this.#findings = nothingFound;
    await this.#outlet.give(this.#tables.splice(0), findings);
  }

  #createSink(path: string, tally: { malformed: number }): FileSink {
    return {
      table: (table) => void this.#tables.push(table),
      histograms: (table) => void this.#tables.push(table),
      malformed: (reason, line) => {
        tally.malformed += 1;
        this.#count('lostLines', 1);
        const place = line === undefined ? path : `${path}:${line}`;
        if (tally.malformed <= namedLines) this.#note('warn', `Skipped ${place}: ${reason}`);
      },
      torn: (line) => this.#note('info', `${path}:${line} is cut off: the file was not closed`),
      unsupported: (kind, points) => {
        this.#count('unsupportedPoints', points);
        if (this.#unsupported.has(kind)) return;
        this.#unsupported.add(kind);
        const known = 'only gauges and cumulative sums and histograms are replayed';
        this.#note('warn', `Skipped points of kind "${kind}" in ${path}: ${known}`);
      },
    };
  }

  #note(level: Findings['notes'][number]['level'], text: string): void {
    this.#findings = { ...this.#findings, notes: [...this.#findings.notes, { level, text }] };
  }

  #count(what: Exclude<keyof Findings, 'notes'>, more: number): void {
    this.#findings = { ...this.#findings, [what]: this.#findings[what] + more };
  }
}
