import { parentPort, workerData } from 'node:worker_threads';
import { elementAt } from '../../src/element.js';
import { isHistograms, type RecordedTable } from '../../src/recording/recorded-table.js';
import { buffersOf, TablePacker } from '../../src/recording/table-parcel.js';
import {
  nothingFound,
  Reading,
  type Findings,
  type Outlet,
  type ReadingMessage,
  type ReadingOrder,
} from './reading.js';

/** Maximum tables and cells of one message: each blocks the main thread for a millisecond or two. */
const maxTables = 500;
const maxCells = 100_000;
/** Maximum messages that the main thread has not taken yet. */
const maxUnderway = 2;

/** Sends the contents to the main thread, no faster than it takes them. */
class MainThread implements Outlet {
  readonly #packer = new TablePacker();
  #underway = 0;
  #goOn = () => {};

  constructor() {
    parentPort?.on('message', () => {
      this.#underway -= 1;
      this.#goOn();
    });
  }

  begin(path: string): void {
    this.post({ type: 'begin', path });
  }

  async give(tables: readonly RecordedTable[], findings: Findings): Promise<void> {
    if (tables.length === 0 && findings === nothingFound) return;
    let rest = findings;
    for (let from = 0, to = 0; from < tables.length || rest !== nothingFound; from = to) {
      to = endOfMessage(tables, from);
      await this.#send(tables.slice(from, to), rest);
      rest = nothingFound;
    }
  }

  post(message: ReadingMessage, transfer: ArrayBuffer[] = []): void {
    parentPort?.postMessage(message, transfer);
  }

  async #send(tables: readonly RecordedTable[], findings: Findings): Promise<void> {
    for (const introduction of this.#packer.introduce(tables)) {
      this.post({ type: 'introduce', introduction });
      await this.#waitForRoom();
    }
    const parcel = this.#packer.pack(tables);
    this.post({ type: 'tables', parcel, findings }, buffersOf(parcel));
    await this.#waitForRoom();
  }

  /** The main thread takes all waiting messages in one step: there are never more than two. */
  async #waitForRoom(): Promise<void> {
    this.#underway += 1;
    while (this.#underway >= maxUnderway) await new Promise<void>((resolve) => (this.#goOn = resolve));
  }
}

function endOfMessage(tables: readonly RecordedTable[], from: number): number {
  let cells = 0;
  for (let to = from; to < tables.length; to += 1) {
    const table = elementAt(tables, to);
    cells += isHistograms(table) ? table.buckets.length + table.counts.length : table.values.length;
    if (to > from && (to - from >= maxTables || cells > maxCells)) return to;
  }
  return tables.length;
}

const main = new MainThread();
// The receiver passes these as worker data.
const { paths, format } = workerData as ReadingOrder;
await new Reading(main).run(paths, format);
main.post({ type: 'done' });
parentPort?.close();
