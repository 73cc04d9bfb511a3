import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompressionAlgorithmValue, Producer, ProducerOptions } from '@platformatic/kafka';
import { describeError } from '../../src/errors.js';

export type ClientPackage = typeof import('@platformatic/kafka');
export type ClientOptions = ProducerOptions<Buffer, Buffer, Buffer, Buffer>;

/**
 * Loads the optional package for Kafka's protocol.
 * @throws Error if it is not installed
 */
export async function loadClient(): Promise<ClientPackage> {
  try {
    return await import('@platformatic/kafka');
  } catch (error) {
    throw new Error(
      `Cannot load the package @platformatic/kafka: ${describeError(error)}; install it: npm install @platformatic/kafka`,
      { cause: error },
    );
  }
}

/** A message of a topic. Without a key it goes to any partition. */
export type TopicMessage =
  | { readonly topic: string; readonly value: Buffer }
  | { readonly topic: string; readonly key: Buffer; readonly value: Buffer };

/** Options for sending. The client requires most of them with each message. */
export interface SendOptions {
  readonly acks: number;
  readonly compression: CompressionAlgorithmValue;
  readonly autocreateTopics: boolean;
  readonly timeoutMs: number;
}

/** A connection event of the client. */
interface ConnectionEvent {
  readonly connection: { readonly socket: Socket };
}

/** A client with timeouts: the library itself waits without limit for an answer, and for the end of a connection. */
export class BrokerClient {
  readonly #producer: Producer;
  readonly #sendOptions: SendOptions;
  readonly #sockets = new Set<Socket>();

  constructor({ Producer }: ClientPackage, options: ClientOptions, sendOptions: SendOptions) {
    this.#sendOptions = sendOptions;
    this.#producer = new Producer(options);
    const add = ({ connection }: ConnectionEvent) => this.#sockets.add(connection.socket);
    // The first event for authenticated connections, the second for all.
    this.#producer.on('client:broker:sasl:handshake', add);
    this.#producer.on('client:broker:connect', add);
  }

  /**
   * Sends messages.
   * @throws Error of the client, or one for an exceeded time limit
   */
  async send(messages: TopicMessage[]): Promise<void> {
    const { timeoutMs, ...options } = this.#sendOptions;
    const timer = new AbortController();
    const silence = sleep(timeoutMs, undefined, { signal: timer.signal }).then(() => {
      throw new Error(`expected an answer within ${timeoutMs} ms, found none`);
    });
    // The later one of the two results is ignored.
    silence.catch(() => undefined);
    try {
      await Promise.race([this.#producer.send({ ...options, messages }), silence]);
    } finally {
      timer.abort();
    }
  }

  /** Closes every connection immediately. Safe to call twice. */
  close(): void {
    // It fails only if there is nothing to close.
    this.#producer.close().catch(() => undefined);
    for (const socket of this.#sockets) socket.destroy();
  }
}
