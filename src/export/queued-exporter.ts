import type { ConsumingComponent, ExporterContext } from '../component/component.js';
import type { QueuedRequest, QueueStorage, StoredBytes } from '../component/queue-storage.js';
import type { ConfigOf, Schema } from '../component/schema.js';
import { countHistograms, type HistogramTable } from '../model/histogram-table.js';
import { countPoints, type Table } from '../model/table.js';
import type { Sender } from './request-delivery.js';
import { SendingQueue, type SendingQueueConfig } from './sending-queue.js';

/** Maximum time of a shutdown, if the caller sets no limit. */
const drainMs = 4000;

/** The fraction of the shutdown time after which undelivered requests are dropped; counting them takes time, too. */
const drainShare = 0.9;

/** Points that wait for a full request are a backlog, but delay nothing. */
const minBacklog = 1e-6;

/** Settings of the requests built from tables. */
export const batchSettings = {
  flush_timeout: {
    doc: 'Maximum time that points wait for further points to be sent in the same request.',
    format: 'duration',
    default: '200ms',
  },
  stagger: {
    doc: 'Random time from 0 to this is added to `flush_timeout` at each start of the collector, so that machines that read at the same instant send at different ones.',
    format: 'duration',
    default: '0s',
  },
  max_points: { doc: 'Maximum number of points per request.', format: 'int', default: 8192, min: 1 },
  max_bytes: {
    doc: 'Maximum size of a request before compression. Many servers accept 4 MiB by default.',
    format: 'byte_size',
    default: '3.5MiB',
    min: 1024,
  },
} as const satisfies Schema;

export type BatchConfig = ConfigOf<typeof batchSettings>;

/** Limits of one request. */
export interface RequestLimits {
  readonly maxPoints: number;
  readonly maxBytes: number;
}

/** The limits in the settings. */
export function requestLimits({
  max_points: maxPoints,
  max_bytes: maxBytes,
}: Pick<BatchConfig, 'max_points' | 'max_bytes'>): RequestLimits {
  return { maxPoints, maxBytes };
}

export interface QueuedExporterConfig extends SendingQueueConfig {
  readonly batch: Pick<BatchConfig, 'flush_timeout' | 'stagger' | 'max_bytes'>;
}

/** Encodes tables as requests of a limited size. */
export interface Encoder {
  /** Points that wait for a full request. */
  readonly points: number;
  /** Adds a table; emits every full request. */
  add(table: Table): void;
  /** The same for histograms, if the format has them. */
  addHistograms?(table: HistogramTable): void;
  /** Emits the incomplete request, now or after encoding the tables already added. */
  flush(): void;
  /** Fulfilled when every added table is encoded. Absent if `add` encodes synchronously. */
  settle?(): Promise<void>;
}

/** What an exporter adds to the queue: format and transport. */
export interface QueuedExporterParts {
  /** @param emit receives every request */
  createEncoder(emit: (request: QueuedRequest) => void): Encoder;
  /** Loads and opens the transport; called at the start. */
  openSender(): Promise<Sender>;
  /** Rebuilds a splittable request from stored bytes; without this method, stored requests cannot be split. */
  restore?(stored: StoredBytes): QueuedRequest;
}

/** Encodes tables as requests and queues these until they are delivered. */
export class QueuedExporter implements ConsumingComponent {
  readonly #config: QueuedExporterConfig;
  readonly #context: ExporterContext;
  readonly #parts: QueuedExporterParts;
  readonly #encoder: Encoder;
  readonly #flushMs: number;
  #queue: SendingQueue | undefined;
  #flushTimer: NodeJS.Timeout | undefined;
  /** Absent if the format has no histograms. */
  readonly consumeHistograms?: (table: HistogramTable) => boolean;

  constructor(config: QueuedExporterConfig, context: ExporterContext, parts: QueuedExporterParts) {
    this.#config = config;
    this.#context = context;
    this.#parts = parts;
    const { flush_timeout: flushMs, stagger: staggerMs } = config.batch;
    this.#flushMs = flushMs + Math.random() * staggerMs;
    this.#encoder = parts.createEncoder((request) => this.#queue?.offer(request));
    if (this.#encoder.addHistograms !== undefined) {
      this.consumeHistograms = (table) =>
        this.#take(countHistograms(table), () => this.#encoder.addHistograms?.(table));
    }
  }

  async start(): Promise<void> {
    const storage = await this.#openStorage();
    const sender = await this.#parts.openSender();
    const restore = this.#parts.restore?.bind(this.#parts);
    this.#queue = new SendingQueue(this.#config, this.#context, sender, { storage, restore });
  }

  async #openStorage(): Promise<QueueStorage | undefined> {
    const { storage: id } = this.#config.sending_queue;
    if (id === null) return undefined;
    const extension = this.#context.findStorage?.(id);
    if (extension === undefined)
      throw new Error(`expected an extension that stores requests as sending_queue.storage, found "${id}"`);
    return extension.openQueue(this.#context.id);
  }

  consume(table: Table): boolean {
    return this.#take(countPoints(table), () => this.#encoder.add(table));
  }

  #take(points: number, encode: () => void): boolean {
    const queue = this.#queue;
    if (queue === undefined) return false;
    // An accepted table is never refused later: there must be room for a full request before a table is
    // accepted.
    if (!queue.hasRoom(this.#config.batch.max_bytes)) {
      queue.refuse(points);
      return false;
    }
    encode();
    if (this.#encoder.points > 0) this.#flushLater();
    return true;
  }

  get isFailing(): boolean {
    return this.#queue?.isFailing === true;
  }

  readBacklog(): number {
    const backlog = this.#queue?.readBacklog(this.#config.batch.max_bytes) ?? 0;
    return this.#encoder.points > 0 ? Math.max(backlog, minBacklog) : backlog;
  }

  async shutdown(timeoutMs = drainMs): Promise<void> {
    const beginMs = performance.now();
    await this.#encoder.settle?.();
    this.flush();
    const queue = this.#queue;
    this.#queue = undefined;
    await queue?.shutdown(Math.max(0, drainShare * timeoutMs - (performance.now() - beginMs)));
  }

  #flushLater(): void {
    this.#flushTimer ??= setTimeout(() => this.flush(), this.#flushMs);
  }

  /** Puts the incomplete request into the queue. */
  flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    this.#encoder.flush();
  }
}
