import { once } from 'node:events';
import { connect } from 'node:net';
import {
  batchSettings,
  createPlans,
  describeError,
  ExportError,
  parseEndpoint,
  QueuedExporter,
  retrySettings,
  sendingQueueSettings,
  type Encoder,
  type ExporterFactory,
  type QueuedRequest,
  type Schema,
  type Sender,
  type Series,
  type Table,
} from 'joulemetry/plugin';

const schema = {
  endpoint: { doc: 'Where Carbon listens, host:port.', format: 'endpoint', default: 'localhost:2003' },
  batch: batchSettings,
  sending_queue: sendingQueueSettings,
  retry_on_failure: retrySettings,
} as const satisfies Schema;

/** Names and tags as Graphite accepts them. */
function describePath({ metric, resource, attributes }: Series): string {
  const tags = Object.entries({ ...resource.attributes, ...attributes });
  const path = [metric.name, ...tags.map(([name, value]) => `${name}=${value}`)];
  return path.map((part) => part.replaceAll(/[;~\s]/gu, '_')).join(';');
}

/** Encodes each value as a line of Graphite's plain text protocol. */
class LineEncoder implements Encoder {
  readonly #emit: (request: QueuedRequest) => void;
  readonly #maxPoints: number;
  /** Text is made once for each series, not for each point. */
  readonly #pathsOf = createPlans((series: readonly Series[]) => series.map(describePath));
  #lines: string[] = [];

  constructor(maxPoints: number, emit: (request: QueuedRequest) => void) {
    this.#maxPoints = maxPoints;
    this.#emit = emit;
  }

  get points(): number {
    return this.#lines.length;
  }

  add({ series, epoch, offsets, values }: Table): void {
    const paths = this.#pathsOf(series);
    for (const [row, offset] of offsets.entries()) {
      const seconds = (epoch + BigInt(offset)) / 1_000_000_000n;
      for (const [column, path] of paths.entries()) {
        const value = values[row * paths.length + column];
        if (Number.isNaN(value)) continue;
        this.#lines.push(`${path} ${value} ${seconds}\n`);
        if (this.points >= this.#maxPoints) this.flush();
      }
    }
  }

  flush(): void {
    if (this.points === 0) return;
    this.#emit({ bytes: Buffer.from(this.#lines.join('')), points: this.points });
    this.#lines = [];
  }
}

/** Sends each request by a connection of its own: the server confirms it by closing after us. */
function openSender(endpoint: string): Sender {
  const closing = new AbortController();
  return {
    target: endpoint,
    async send({ bytes }) {
      const socket = connect({ ...parseEndpoint(endpoint), signal: closing.signal });
      socket.setTimeout(10_000, () => socket.destroy(new Error('no progress within 10 s')));
      try {
        socket.resume().end(bytes);
        await once(socket, 'close');
        return { rejectedPoints: 0, message: '' };
      } catch (error) {
        throw new ExportError(describeError(error), { retryable: true, cause: error });
      }
    },
    close: () => closing.abort(),
  };
}

export const factory: ExporterFactory<typeof schema> = {
  schema,
  create: (config, context) =>
    new QueuedExporter(config, context, {
      createEncoder: (emit) => new LineEncoder(config.batch.max_points, emit),
      openSender: () => Promise.resolve(openSender(config.endpoint)),
    }),
};
