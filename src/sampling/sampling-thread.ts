import type { Worker } from 'node:worker_threads';
import type { Log } from '../component/log.js';
import { describeError, UnavailableError } from '../errors.js';
import type { SamplerChannel } from './sampler-channel.js';
import {
  ThreadConnection,
  type Command,
  type OpenCommand,
  type ThreadMessage,
  type ThreadOptions,
} from './thread-connection.js';

export interface ThreadContext {
  readonly log: Log;
  /** Logs a thread's messages about its scheduling. */
  note(level: 'info' | 'warn', message: string): void;
  /** How long a sampler may take to stop before its thread is abandoned. */
  readonly stopTimeoutMs: number;
  /** How far wall time is ahead of CLOCK_MONOTONIC, in nanoseconds; undefined: according to the system clock. */
  readonly wallOffsetNs: bigint | undefined;
  /** Called whenever a worker thread has started. */
  onThread(): void;
}

/** A command that waits for its reply. */
interface Waiting {
  resolve(): void;
  reject(message: string): void;
  /** The thread has ended: there will be no reply. */
  giveUp(message: string): void;
}

const restartAfterMs = 1000;

/** A worker thread with its samplers. When it dies or hangs, it is replaced. */
export class SamplingThread {
  readonly #context: ThreadContext;
  readonly #channels = new Map<number, SamplerChannel>();
  /** The thread replies in the order of the commands. */
  #waiting: Waiting[] = [];
  #line: ThreadConnection;
  #worker: Worker | undefined;
  #isOpen = true;

  constructor(context: ThreadContext) {
    this.#context = context;
    this.#line = this.#connect();
    this.#spawn(this.#line.options);
  }

  /** False once its last sampler was closed: then it accepts no others. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Opens the channel's sampler.
   * @throws UnavailableError when that fails
   */
  async open(channel: SamplerChannel): Promise<void> {
    this.#channels.set(channel.id, channel);
    try {
      await this.#order(createOpenCommand(channel, false));
    } catch (error) {
      await this.close(channel);
      throw error;
    }
  }

  /** Resolves when a reading was taken and the channel has forwarded every row. */
  flush({ id, closing }: SamplerChannel): Promise<void> {
    return closing ?? this.#order({ type: 'flush', id });
  }

  /** Resolves when the sampler has other options, and the channel has forwarded every earlier row. */
  update(channel: SamplerChannel, options: unknown): Promise<void> {
    channel.options = options;
    return channel.closing ?? this.#order({ type: 'update', id: channel.id, options });
  }

  /** Resolves when reading has stopped, and the channel has forwarded every row and a gap. */
  async pause(channel: SamplerChannel): Promise<void> {
    if (channel.isPaused) return;
    channel.isPaused = true;
    await (channel.closing ?? this.#order({ type: 'pause', id: channel.id }));
    // It may have been resumed in the meantime.
    if (channel.isPaused) channel.forwardGap();
  }

  /** Resolves when the channel has forwarded a first row. */
  resume(channel: SamplerChannel): Promise<void> {
    channel.isPaused = false;
    return channel.closing ?? this.#order({ type: 'resume', id: channel.id });
  }

  /** Resolves when the sampler has another period. */
  setPeriod(channel: SamplerChannel, periodNs: number): Promise<void> {
    channel.periodNs = periodNs;
    return channel.closing ?? this.#order({ type: 'period', id: channel.id, periodNs });
  }

  /** Resolves when the channel has forwarded every row and the sampler is closed; an idle thread is closed as well. */
  close(channel: SamplerChannel): Promise<void> {
    channel.closing ??= this.#close(channel);
    return channel.closing;
  }

  /** Closes every sampler and the thread, even if it had none. */
  async shutdown(): Promise<void> {
    await Promise.all([...this.#channels.values()].map((channel) => this.close(channel)));
    if (this.#isOpen) await this.#end();
  }

  async #close({ id }: SamplerChannel): Promise<void> {
    const timer = setTimeout(() => this.#expire(), this.#context.stopTimeoutMs);
    await this.#order({ type: 'close', id });
    clearTimeout(timer);
    this.#channels.delete(id);
    if (this.#channels.size === 0 && this.#isOpen) await this.#end();
  }

  async #end(): Promise<void> {
    this.#isOpen = false;
    const worker = this.#worker;
    this.#worker = undefined;
    const exited = new Promise((resolve) => void worker?.once('exit', resolve));
    this.#line.post({ type: 'end' });
    await exited;
    await this.#line.close();
  }

  #order(command: Command): Promise<void> {
    if (!this.#isOpen) return Promise.resolve();
    const isFirstOpen = command.type === 'open' && !command.again;
    return new Promise((resolve, reject) => {
      const refuse = (message: string) => reject(new UnavailableError(message));
      this.#waiting.push({ resolve, reject: refuse, giveUp: isFirstOpen ? refuse : () => resolve() });
      this.#line.post(command);
    });
  }

  #expire(): void {
    // The answer may have arrived while the main thread was busy.
    this.#line.drain();
    if (this.#waiting.length === 0) return;
    this.#replace(
      `Cannot stop a sampler: expected an answer of its thread, found none within ${this.#context.stopTimeoutMs} ms`,
    );
  }

  #connect(): ThreadConnection {
    return new ThreadConnection((message) => this.#take(message), this.#context.wallOffsetNs);
  }

  #spawn(options: ThreadOptions): void {
    const url = new URL('./thread-main.js', import.meta.url);
    // Without samplers, the module is not even loaded.
    const threads = process.getBuiltinModule('node:worker_threads');
    const worker = new threads.Worker(url, {
      name: 'sampling',
      execArgv: [],
      workerData: options,
      transferList: [options.port],
    });
    worker.once('online', () => this.#context.onThread());
    let reason = 'it exited';
    worker.on('error', (error) => {
      reason = describeError(error);
    });
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#line.drain();
      this.#replace(`Cannot continue in a sampling thread: ${reason}`);
    });
    this.#worker = worker;
  }

  /** Abandons this thread and continues in another one, with new series. */
  #replace(reason: string): void {
    this.#context.log.error(reason);
    const lost = this.#worker;
    this.#worker = undefined;
    void lost?.terminate();
    lost?.unref();
    void this.#line.close();
    for (const channel of this.#channels.values()) channel.lose();
    this.#dropClosing();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { giveUp } of waiting) giveUp(reason);
    if (this.#isOpen) this.#restart();
  }

  #dropClosing(): void {
    for (const channel of this.#channels.values()) {
      channel.end();
      if (channel.closing !== undefined) this.#channels.delete(channel.id);
    }
    this.#isOpen = this.#channels.size > 0;
  }

  #restart(): void {
    this.#line = this.#connect();
    const { options } = this.#line;
    for (const channel of this.#channels.values()) void this.#reopen(channel);
    setTimeout(() => this.#spawn(options), restartAfterMs);
  }

  async #reopen(channel: SamplerChannel): Promise<void> {
    try {
      await this.#order(createOpenCommand(channel, true));
    } catch (error) {
      channel.request.log.error(`Cannot open the sampler again: ${describeError(error)}`);
    }
  }

  #take(message: ThreadMessage): void {
    if (message.type === 'note') {
      this.#context.note(message.level, message.message);
      return;
    }
    const channel = this.#channels.get(message.id);
    switch (message.type) {
      case 'rows':
        channel?.takeRows(message);
        break;
      case 'ended':
        channel?.end();
        break;
      case 'failed':
        channel?.fail(message.message);
        break;
      case 'recovered':
        channel?.recover();
        break;
      case 'opened':
      case 'done':
        this.#waiting.shift()?.resolve();
        break;
      case 'refused':
        this.#waiting.shift()?.reject(message.message);
        break;
    }
  }
}

function createOpenCommand(
  { id, request, options, periodNs, isPaused }: SamplerChannel,
  again: boolean,
): OpenCommand {
  const { module, flushMs } = request;
  return {
    type: 'open',
    id,
    module: module.href,
    options,
    periodNs: Math.round(periodNs),
    flushNs: flushMs * 1e6,
    again,
    isPaused,
  };
}
