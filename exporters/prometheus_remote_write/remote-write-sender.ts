import type { Log } from '../../src/component/log.js';
import type { QueuedRequest } from '../../src/component/queue-storage.js';
import type { HttpAnswer } from '../../src/export/http-answers.js';
import { openHttpSender, type HttpSenderOptions } from '../../src/export/http-sender.js';
import { wholeDelivery, type Delivery, type Sender } from '../../src/export/request-delivery.js';
import { cleanText } from '../../src/http/connection-error.js';
import type { Config } from './config.js';
import { countSamples } from './divide-request.js';
import { compressSnappy } from './snappy.js';
import { Version1 } from './version-1.js';

/** The backend does not support protocol 2.0. */
class UnknownProtocolError extends Error {
  override readonly name = 'UnknownProtocolError';
}

/** Which protocol the backend supports, as far as that is known. */
export interface Protocol {
  isVersion1: boolean;
}

/**
 * Opens a sender to a backend, using protocol 2.0 unless the backend supports only 1.0.
 * @param protocol records that the backend does not support 2.0
 * @throws Error naming the unusable file or variable
 */
export function openRemoteWriteSender(
  config: Config,
  protocol: Protocol,
  { log, nowMs }: { readonly log: Log; nowMs(): number },
): Sender {
  const open = (options: HttpSenderOptions) => openHttpSender(config, options, log);
  return new RemoteWriteSender([open(describeNew(config)), open(describeOld(config))], {
    protocol,
    version1: new Version1(config.send_metadata, nowMs),
    log,
  });
}

interface SenderOptions {
  readonly protocol: Protocol;
  readonly version1: Version1;
  readonly log: Log;
}

class RemoteWriteSender implements Sender {
  readonly #new: Sender;
  readonly #old: Sender;
  readonly #options: SenderOptions;

  /** @param senders for 2.0 and for 1.0 */
  constructor([latest, old]: readonly [Sender, Sender], options: SenderOptions) {
    this.#new = latest;
    this.#old = old;
    this.#options = options;
  }

  get target(): string {
    return this.#new.target;
  }

  async send(request: QueuedRequest): Promise<Delivery> {
    const { protocol, log } = this.#options;
    if (protocol.isVersion1) return this.#sendOld(request);
    try {
      return await this.#new.send(request);
    } catch (error) {
      if (!(error instanceof UnknownProtocolError)) throw error;
      protocol.isVersion1 = true;
      log.info(`Sending by remote write 1.0 to ${this.target}: ${error.message}`);
      return this.#sendOld(request);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#new.close(), this.#old.close()]);
  }

  async #sendOld(request: QueuedRequest): Promise<Delivery> {
    const { bytes, leftOut } = await this.#options.version1.convert(request.bytes);
    const { rejectedPoints, message } = await this.#old.send({ ...request, bytes });
    if (leftOut === 0) return { rejectedPoints, message };
    return {
      rejectedPoints: Math.min(request.points, rejectedPoints + leftOut),
      message: message || 'remote write 1.0 has no native histograms; those that follow are sent as buckets',
    };
  }
}

/** As in Prometheus, 429 and all server errors are retryable, and no others. */
const common = {
  compression: { encoding: 'snappy', compress: compressSnappy },
  isRetryable: (status: number) => status === 429 || status >= 500,
};

function describeOld({ endpoint }: Config): HttpSenderOptions {
  return {
    ...common,
    url: new URL(endpoint),
    contentType: 'application/x-protobuf',
    headers: { 'X-Prometheus-Remote-Write-Version': '0.1.0' },
  };
}

function describeNew({ endpoint }: Config): HttpSenderOptions {
  return {
    ...common,
    url: new URL(endpoint),
    contentType: 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
    headers: { 'X-Prometheus-Remote-Write-Version': '2.0.0' },
    checkAnswer(answer, request) {
      const written = countWritten(answer);
      // A backend that supports 1.0 only, and ignores the content type, finds nothing in such a request.
      if (written === undefined)
        throw new UnknownProtocolError(
          'expected the number of samples written, found none in the answer to 2.0',
        );
      return { ...wholeDelivery, rejectedPoints: countRejected(request, written) };
    },
    checkRefusal(answer, request) {
      if (answer.status === 415) throw new UnknownProtocolError('expected a backend of 2.0, found HTTP 415');
      const written = countWritten(answer) ?? 0;
      if (written === 0) return undefined;
      return { rejectedPoints: countRejected(request, written), message: cleanText(answer.body.toString()) };
    },
  };
}

/** A point may have several samples: at most as many points as unwritten samples are known to be lost. */
function countRejected({ bytes, points }: QueuedRequest, written: number): number {
  return Math.max(0, Math.min(points, countSamples(bytes) - written));
}

/** Number of samples and histograms written, according to the answer; undefined if it does not report it. */
function countWritten({ headers }: HttpAnswer): number | undefined {
  const counts = ['samples', 'histograms'].map(
    (what) => headers[`x-prometheus-remote-write-${what}-written`],
  );
  if (counts.every((count) => count === undefined)) return undefined;
  return counts.reduce((sum, count) => sum + (Number(count) || 0), 0);
}
