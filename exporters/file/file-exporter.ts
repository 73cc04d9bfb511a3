import type { ConsumingComponent, Context } from '../../src/component/component.js';
import { describeError } from '../../src/errors.js';
import { SendingQueueTelemetry } from '../../src/export/delivery-telemetry.js';
import type { HistogramTable } from '../../src/model/histogram-table.js';
import type { Table } from '../../src/model/table.js';
import { countRecorded, isHistograms, type RecordedTable } from '../../src/recording/recorded-table.js';
import type { FileConfig } from './config.js';
import { FileLog } from './file-log.js';
import { FileWriter } from './file-writer.js';

/** Tables that wait are written without waiting for the flush interval from here on; also the most of one message. */
const flushAtBytes = 2 * 1024 * 1024;
const minRetryMs = 1000;
const bytesPerCell = 8;
/** How long a shutdown waits for the file. A stop of the agent takes five seconds altogether. */
const closeWithinMs = 4000;

/** Puts tables into files. While a file cannot be written, tables wait in memory, within bounds. */
export class FileExporter implements ConsumingComponent {
  readonly #config: FileConfig;
  readonly #telemetry: SendingQueueTelemetry;
  readonly #log: FileLog;
  readonly #writer: FileWriter;
  /** Everything that is not known to be in the file, the oldest first. */
  readonly #tables: RecordedTable[] = [];
  #bytes = 0;
  /** How many of them the writer has. */
  #sent = 0;
  /** How many of them are to be written now, those that the writer has among them. */
  #due = 0;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #isFailing = false;

  constructor(config: FileConfig, context: Context) {
    this.#config = config;
    this.#writer = new FileWriter(config, context.log);
    this.#log = new FileLog(context.log, config.path);
    this.#telemetry = new SendingQueueTelemetry(context, {
      capacityBytes: config.buffer_bytes,
      readBytes: () => this.#bytes,
      readInFlight: () => (this.#writing === undefined ? 0 : 1),
    });
  }

  async start(): Promise<void> {
    await this.#writer.open();
    this.#isOpen = true;
  }

  consume(table: Table): boolean {
    return this.#take(table);
  }

  consumeHistograms(table: HistogramTable): boolean {
    return this.#take(table);
  }

  #take(table: RecordedTable): boolean {
    if (!this.#isOpen) return false;
    const bytes = bytesOf(table);
    if (this.#bytes + bytes > this.#config.buffer_bytes && this.#bytes > 0) {
      this.#drop('queue_full', countRecorded(table));
      return false;
    }
    this.#tables.push(table);
    this.#bytes += bytes;
    if (this.#bytes >= flushAtBytes && !this.#isFailing) this.#flush();
    else this.#flushLater();
    return true;
  }

  /** What only waits for the flush interval is no backlog. */
  readBacklog(): number {
    const isBehind = this.#isFailing || this.#writing !== undefined;
    return isBehind ? Math.min(1, this.#bytes / this.#config.buffer_bytes) : 0;
  }

  async shutdown(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#isOpen) await this.#end();
    this.#telemetry.close();
    this.#log.close();
  }

  async #end(): Promise<void> {
    this.#isOpen = false;
    const closing = new AbortController();
    const timer = setTimeout(() => closing.abort(), closeWithinMs);
    const late = new Promise((resolve) => closing.signal.addEventListener('abort', resolve));
    await Promise.race([this.#writeRest().then(() => this.#writer.close()), late]);
    clearTimeout(timer);
    await this.#writer.terminate();
    const lost = this.#tables.reduce((sum, table) => sum + countRecorded(table), 0);
    this.#tables.length = 0;
    this.#bytes = 0;
    if (lost > 0) this.#drop('shutdown', lost);
  }

  /** What cannot be written now is tried once more. */
  async #writeRest(): Promise<void> {
    await this.#writing;
    this.#flush();
    await this.#writing;
    clearTimeout(this.#timer);
  }

  #flushLater(): void {
    if (this.#writing !== undefined) return;
    const { flush_interval: intervalMs } = this.#config;
    const waitMs = this.#isFailing ? Math.max(intervalMs, minRetryMs) : intervalMs;
    this.#timer ??= setTimeout(() => this.#flush(), waitMs);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = this.#tables.length;
    this.#writing ??= this.#write();
  }

  /** Writes what is due. Never rejects. */
  async #write(): Promise<void> {
    let failure: string | undefined;
    do failure = await this.#writeSome();
    while (failure === undefined && this.#due > 0);
    this.#writing = undefined;
    this.#isFailing = failure !== undefined;
    if (failure === undefined) this.#log.works();
    else this.#log.failed(failure);
    if (this.#tables.length > 0 && this.#isOpen) this.#flushLater();
  }

  /** @returns why some of it could not be written */
  async #writeSome(): Promise<string | undefined> {
    if (!this.#writer.isOpen) return this.#isOpen ? this.#reopen() : 'its thread has ended';
    // What the writer could not write yet it has to write first.
    const more = this.#sent > 0 ? [] : this.#takeUpTo(flushAtBytes);
    this.#sent += more.length;
    const { tables, failure } = await this.#writer.write(more);
    this.#confirm(tables);
    return failure;
  }

  /** The thread was lost, and with it what it had: that is sent again, even if some of it is in the file. */
  async #reopen(): Promise<string | undefined> {
    this.#sent = 0;
    try {
      await this.#writer.open();
      return undefined;
    } catch (error) {
      return describeError(error);
    }
  }

  #takeUpTo(maxBytes: number): readonly RecordedTable[] {
    let bytes = 0;
    let end = 0;
    for (const table of this.#tables.slice(0, this.#due)) {
      if (bytes >= maxBytes) break;
      bytes += bytesOf(table);
      end += 1;
    }
    return this.#tables.slice(0, end);
  }

  #confirm(count: number): void {
    let points = 0;
    for (const table of this.#tables.splice(0, count)) {
      this.#bytes -= bytesOf(table);
      points += countRecorded(table);
    }
    this.#sent -= count;
    this.#due -= count;
    if (points > 0) this.#telemetry.sent(points);
  }

  #drop(reason: 'queue_full' | 'shutdown', points: number): void {
    this.#telemetry.dropped(reason, points);
    this.#log.lost(points);
  }
}

/** What a table takes in memory, beside series that it shares with others. */
function bytesOf(table: RecordedTable): number {
  const { offsets, series, ended = [] } = table;
  // A row of histograms has count, sum, minimum, maximum, layout and where its buckets begin.
  const cells = isHistograms(table) ? table.buckets.length + 6 * series.length : table.values.length;
  return bytesPerCell * (cells + offsets.length + series.length + ended.length) + 200;
}
