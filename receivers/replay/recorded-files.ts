import { createHistogramEnding } from '../../src/model/histogram-table.js';
import { createEnding } from '../../src/model/table.js';
import { standardInput } from '../../src/recording/find-recordings.js';
import { isHistogramSeries, isNumberSeries } from '../../src/recording/recorded-series.js';
import type { RecordedTable } from '../../src/recording/recorded-table.js';
import { TableUnpacker } from '../../src/recording/table-parcel.js';
import { WorkThread } from '../../src/work-thread.js';
import {
  nothingFound,
  type Findings,
  type ReadingMessage,
  type ReadingOrder,
  type ReadingReply,
} from './reading.js';

/** Receives what is read. */
export interface ReadingEvents {
  /** Handles some tables. Reading continues when it is done with them. */
  tables(tables: readonly RecordedTable[]): Promise<void>;
  found(findings: Findings): void;
}

const readingModule = new URL('./reading-thread.js', import.meta.url);

/**
 * Reads files in a thread of its own, which is terminated by the signal, or when a file makes it compute
 * endlessly. Later files are then read by another thread. Never rejects.
 */
export async function readFiles(
  order: ReadingOrder,
  events: ReadingEvents,
  signal: AbortSignal,
): Promise<void> {
  let paths = order.paths;
  while (paths.length > 0 && !signal.aborted) {
    const reader = new Reader({ ...order, paths }, events);
    const begun = await reader.run(signal);
    paths = paths.slice(begun);
  }
}

/** A thread that reads files, and its tables. */
class Reader {
  readonly #paths: readonly string[];
  readonly #events: ReadingEvents;
  readonly #unpacker = new TableUnpacker();
  readonly #thread: WorkThread<ReadingReply, ReadingMessage>;
  readonly #messages: ReadingMessage[] = [];
  #wake = () => {};
  #failure: string | undefined;
  #begun = 0;
  #lastNs = 0n;

  constructor(order: ReadingOrder, events: ReadingEvents) {
    this.#paths = order.paths;
    this.#events = events;
    const hasInput = order.paths.includes(standardInput);
    this.#thread = new WorkThread({
      module: readingModule,
      data: order,
      hasInput,
      onMessage: (message) => {
        this.#messages.push(message);
        this.#wake();
      },
      onEnd: (reason) => {
        this.#failure = reason;
        this.#wake();
      },
    });
    const { input } = this.#thread;
    if (hasInput && input) process.stdin.pipe(input);
  }

  /** @returns how many of the files were started: all of them, unless the thread failed */
  async run(signal: AbortSignal): Promise<number> {
    signal.addEventListener('abort', () => this.#wake());
    let message = await this.#next(signal);
    for (; message !== undefined && message.type !== 'done'; message = await this.#next(signal)) {
      await this.#take(message);
    }
    if (message === undefined && !signal.aborted) await this.#giveUp(this.#failure ?? 'its thread ended');
    if (this.#thread.input) process.stdin.unpipe().destroy();
    await this.#thread.terminate();
    return this.#begun;
  }

  /** Undefined: there are none, because the thread failed or was aborted. */
  async #next(signal: AbortSignal): Promise<ReadingMessage | undefined> {
    while (this.#messages.length === 0 && this.#failure === undefined && !signal.aborted) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return signal.aborted ? undefined : this.#messages.shift();
  }

  async #take(message: Exclude<ReadingMessage, { type: 'done' }>): Promise<void> {
    if (message.type === 'begin') this.#begun += 1;
    else this.#thread.post('more');
    if (message.type === 'introduce') this.#unpacker.meet(message.introduction);
    if (message.type === 'tables') {
      this.#events.found(message.findings);
      const tables = this.#unpacker.unpack(message.parcel);
      this.#lastNs = tables.at(-1)?.epoch ?? this.#lastNs;
      await this.#events.tables(tables);
    }
  }

  /** Reports the file that the thread could not read, and ends the series that the thread can no longer end. */
  async #giveUp(reason: string): Promise<void> {
    this.#begun = Math.max(1, this.#begun);
    const path = this.#paths[this.#begun - 1] ?? '';
    const notes = [{ level: 'error', text: `Cannot read ${path}: ${reason}` }] as const;
    this.#events.found({ ...nothingFound, notes, unreadFiles: 1 });
    const { live } = this.#unpacker;
    const [numbers, histograms] = [live.filter(isNumberSeries), live.filter(isHistogramSeries)];
    if (numbers.length > 0) await this.#events.tables([createEnding(numbers, this.#lastNs)]);
    if (histograms.length > 0) await this.#events.tables([createHistogramEnding(histograms, this.#lastNs)]);
  }
}
