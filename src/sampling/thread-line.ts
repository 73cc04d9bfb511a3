import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { WakeSignal } from '../linux/wake-signal.js';
import type { Command, ThreadMessage, ThreadOptions } from './protocol.js';

/** The main thread's end of the line to one sampling thread. It works before the thread is born. */
export class ThreadLine {
  /** What the thread is to be born with, its port transferred. */
  readonly options: ThreadOptions;
  readonly #port: MessagePort;
  readonly #signal: WakeSignal;
  readonly #taken: Int32Array<SharedArrayBuffer>;
  readonly #take: (message: ThreadMessage) => void;
  readonly #closed: Promise<void>;

  /**
   * @param take gets every message, in order
   * @param wallOffsetNs of the thread's options
   */
  constructor(take: (message: ThreadMessage) => void, wallOffsetNs?: bigint) {
    const { port1, port2 } = new MessageChannel();
    const [signal, taken] = [new SharedArrayBuffer(4), new SharedArrayBuffer(4)];
    this.options = { port: port2, signal, taken, wallOffsetNs };
    this.#port = port1;
    this.#signal = new WakeSignal(signal);
    this.#taken = new Int32Array(taken);
    this.#take = take;
    this.#closed = new Promise((resolve) => void port1.once('close', () => resolve()));
    port1.on('message', (message: ThreadMessage) => this.#receive(message));
  }

  post(command: Command): void {
    this.#port.postMessage(command, []);
    this.#signal.raise();
  }

  /** Takes what has arrived, without waiting for the event loop to do so. */
  drain(): void {
    // The thread sends nothing else.
    const next = (): { message: ThreadMessage } | undefined => receiveMessageOnPort(this.#port);
    for (let found = next(); found !== undefined; found = next()) this.#receive(found.message);
  }

  /** Resolves when nothing of it is open any more. */
  close(): Promise<void> {
    this.#port.close();
    return this.#closed;
  }

  #receive(message: ThreadMessage): void {
    this.#take(message);
    if (message.type !== 'rows') return;
    const { offsets, values } = message.rows;
    Atomics.add(this.#taken, 0, offsets.byteLength + values.byteLength);
  }
}
