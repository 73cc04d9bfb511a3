import type { ConsumingComponent, Context } from '../../src/component/component.js';
import { describeError } from '../../src/component/errors.js';
import { countPoints, type Table } from '../../src/model/table.js';
import { SendingQueueTelemetry } from '../../src/pipeline/sending-queue-telemetry.js';
import type { Config } from './config.js';
import { FileLog } from './file-log.js';
import type { Recording } from './recording.js';

/** Tables that wait are written without waiting for the flush interval from here on. */
const flushAtBytes = 2 * 1024 * 1024;
const leastRetryMs = 1000;
const bytesPerCell = 8;

/** Puts tables into files. While a file cannot be written, tables wait in memory, within bounds. */
export class FileExporter implements ConsumingComponent {
  readonly #config: Config;
  readonly #telemetry: SendingQueueTelemetry;
  readonly #log: FileLog;
  readonly #recording: Recording;
  #waiting: Table[] = [];
  #waitingBytes = 0;
  /** Points that the recording took and has not written yet. */
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #isFailing = false;

  constructor(config: Config & { readonly path: string }, context: Context, recording: Recording) {
    this.#config = config;
    this.#recording = recording;
    this.#log = new FileLog(context.log, config.path);
    this.#telemetry = new SendingQueueTelemetry(context, {
      capacityBytes: config.buffer_bytes,
      readBytes: () => this.#waitingBytes,
      readInFlight: () => (this.#underWay > 0 ? 1 : 0),
    });
  }

  start(): void {
    this.#recording.open();
    this.#isOpen = true;
  }

  consume(table: Table): boolean {
    if (!this.#isOpen) return false;
    const bytes = bytesOf(table);
    if (this.#waitingBytes + bytes > this.#config.buffer_bytes && this.#waitingBytes > 0) {
      this.#drop('queue_full', countPoints(table));
      return false;
    }
    this.#waiting.push(table);
    this.#waitingBytes += bytes;
    if (this.#waitingBytes >= flushAtBytes && !this.#isFailing) this.#flush();
    else this.#flushLater();
    return true;
  }

  /** As long as the file can be written, nothing waits that could not be written at once. */
  readBacklog(): number {
    return this.#isFailing ? Math.min(1, this.#waitingBytes / this.#config.buffer_bytes) : 0;
  }

  shutdown(): void {
    clearTimeout(this.#timer);
    if (this.#isOpen) this.#end();
    this.#isOpen = false;
    this.#telemetry.close();
    this.#log.close();
  }

  #end(): void {
    this.#flush();
    clearTimeout(this.#timer);
    const lost = this.#waiting.reduce((sum, table) => sum + countPoints(table), this.#underWay);
    if (lost > 0) this.#drop('shutdown', lost);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#recording.close();
  }

  #flushLater(): void {
    const { flush_interval: intervalMs } = this.#config;
    const waitMs = this.#isFailing ? Math.max(intervalMs, leastRetryMs) : intervalMs;
    this.#timer ??= setTimeout(() => this.#flush(), waitMs);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      this.#write();
      this.#isFailing = false;
      this.#log.works();
    } catch (error) {
      this.#isFailing = true;
      this.#log.failed(describeError(error));
      this.#flushLater();
    }
  }

  #write(): void {
    this.#drain();
    while (this.#waiting.length > 0) {
      const taken = this.#waiting.splice(0, this.#recording.take(this.#waiting));
      for (const table of taken) {
        this.#waitingBytes -= bytesOf(table);
        this.#underWay += countPoints(table);
      }
      this.#drain();
    }
  }

  #drain(): void {
    this.#recording.drain();
    if (this.#underWay > 0) this.#telemetry.sent(this.#underWay);
    this.#underWay = 0;
  }

  #drop(reason: 'queue_full' | 'shutdown', points: number): void {
    this.#telemetry.dropped(reason, points);
    this.#log.lost(points);
  }
}

/** What a table takes in memory, beside series that it shares with others. */
function bytesOf({ values, offsets, series, ended = [] }: Table): number {
  return bytesPerCell * (values.length + offsets.length + series.length + ended.length) + 200;
}
