import type { ConsumingComponent, Context } from '../../src/component/component.js';
import { describeError } from '../../src/errors.js';
import { SendingQueueTelemetry } from '../../src/export/delivery-telemetry.js';
import type { HistogramTable } from '../../src/model/histogram-table.js';
import type { Table } from '../../src/model/table.js';
import { countRecorded, isHistograms, type RecordedTable } from '../../src/recording/recorded-table.js';
import type { FileConfig } from './config.js';
import { FileLog } from './file-log.js';
import { FileWriter } from './file-writer.js';

/** Above this, tables are written without waiting for the flush interval; also the maximum size of one message. */
const flushAtBytes = 2 * 1024 * 1024;
const minRetryMs = 1000;
const bytesPerCell = 8;
/** How long a shutdown waits for the file. A shutdown of the agent takes at most five seconds. */
const closeWithinMs = 4000;

/** Puts tables into files. While a file cannot be written, tables are buffered in memory, up to a limit. */
export class FileExporter implements ConsumingComponent {
  readonly #config: FileConfig;
  readonly #telemetry: SendingQueueTelemetry;
  readonly #log: FileLog;
  readonly #writer: FileWriter;
  /** Every table that is not yet confirmed to be in the file, oldest first. */
  readonly #tables: RecordedTable[] = [];
  #bytes = 0;
  /** How many of them were sent to the writer. */
  #sent = 0;
  /** How many of them are to be written now, including those sent to the writer. */
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

  /** Tables that only wait for the flush interval are not a backlog. */
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

  /** Makes one last attempt to write what is left. */
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

  /** Writes the tables that are due. Never rejects. */
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

  /** @returns why some tables could not be written */
  async #writeSome(): Promise<string | undefined> {
    if (!this.#writer.isOpen) return this.#isOpen ? this.#reopen() : 'its thread has ended';
    // Tables that the writer could not write yet come first.
    const more = this.#sent > 0 ? [] : this.#takeUpTo(flushAtBytes);
    this.#sent += more.length;
    const { tables, failure } = await this.#writer.write(more);
    this.#confirm(tables);
    return failure;
  }

  /** The thread is lost with what it held: those tables are sent again, even if some of them are in the file. */
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

/** Memory of a table, without the series that it shares with others. */
function bytesOf(table: RecordedTable): number {
  const { offsets, series, ended = [] } = table;
  // A histogram row has count, sum, minimum, maximum, layout and the offset of its buckets.
  const cells = isHistograms(table) ? table.buckets.length + 6 * series.length : table.values.length;
  return bytesPerCell * (cells + offsets.length + series.length + ended.length) + 200;
}
