import type { ConsumingComponent, Context } from '../component/component.js';
import { countPoints, type Table } from '../model/table.js';
import { SendingQueue, type Sender } from './sending-queue.js';
import { Batcher } from '../otlp/batcher.js';
import type { OtlpConfig } from '../otlp/otlp-settings.js';

/** How long a shutdown takes at most, where the caller sets no limit. */
const drainMs = 4000;

/** The share of a shutdown's time after which what was not delivered is dropped: counting that takes a moment, too. */
const drainShare = 0.9;

/** Points that wait for others of their request are not delivered, but hold nobody up. */
const leastBacklog = 1e-6;

/** What both OTLP exporters do: tables become requests, requests wait in a queue until they are delivered. */
export class OtlpExporter implements ConsumingComponent {
  readonly #config: OtlpConfig;
  readonly #context: Context;
  readonly #openSender: () => Promise<Sender>;
  readonly #batcher: Batcher;
  #queue: SendingQueue | undefined;
  #flushTimer: NodeJS.Timeout | undefined;

  /** @param openSender loads the transport and connects it; called at the start */
  constructor(config: OtlpConfig, context: Context, openSender: () => Promise<Sender>) {
    this.#config = config;
    this.#context = context;
    this.#openSender = openSender;
    const { max_points: maxPoints, max_bytes: maxBytes } = config.batch;
    this.#batcher = new Batcher({ maxPoints, maxBytes }, (request) => this.#queue?.offer(request));
  }

  async start(): Promise<void> {
    this.#queue = new SendingQueue(this.#config, this.#context, await this.#openSender());
  }

  consume(table: Table): boolean {
    const queue = this.#queue;
    if (queue === undefined) return false;
    // What was taken is never refused later: there is room for a full request before a table is taken.
    if (!queue.hasRoom(this.#config.batch.max_bytes)) {
      queue.refuse(countPoints(table));
      return false;
    }
    this.#batcher.add(table);
    if (this.#batcher.points > 0) this.#flushLater();
    return true;
  }

  readBacklog(): number {
    const backlog = this.#queue?.readBacklog(this.#config.batch.max_bytes) ?? 0;
    return this.#batcher.points > 0 ? Math.max(backlog, leastBacklog) : backlog;
  }

  async shutdown(timeoutMs = drainMs): Promise<void> {
    const beginMs = performance.now();
    this.#flush();
    const queue = this.#queue;
    this.#queue = undefined;
    await queue?.shutdown(Math.max(0, drainShare * timeoutMs - (performance.now() - beginMs)));
  }

  #flushLater(): void {
    this.#flushTimer ??= setTimeout(() => this.#flush(), this.#config.batch.flush_timeout);
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    this.#batcher.flush();
  }
}
