import type { Log } from '../../src/component/log.js';
import type { QueuedRequest } from '../../src/component/queue-storage.js';
import { appendPath } from '../../src/config/endpoint.js';
import { elementAt } from '../../src/element.js';
import { describeError, ExportError } from '../../src/errors.js';
import type { HttpAnswer } from '../../src/export/http-answers.js';
import { openHttpSender } from '../../src/export/http-sender.js';
import { wholeDelivery, type Delivery, type Sender } from '../../src/export/request-delivery.js';
import { createCompression } from '../../src/http/compression.js';
import { basicAuthorization } from '../../src/http/headers.js';
import { allTaken, readBulkAnswer, type BulkOutcome } from './bulk-answer.js';
import { listEndpoints, type Config } from './config.js';
import { selectDocuments } from './documents.js';
import { describeTemplate, templateName } from './index-template.js';

/** The parts of an answer that are read: the status of each document, and the reasons of refusals. */
const answerParts = 'errors,items.create.status,items.create.error.type,items.create.error.reason';

/** The documents of a request that have not been stored yet. */
interface Rest extends QueuedRequest {
  readonly rejected: number;
  readonly reason: string;
}

/**
 * Opens a sender to a cluster.
 * @throws Error naming the file or variable that cannot be used
 */
export function openElasticsearchSender(config: Config, log: Log): Sender {
  const nodes = listEndpoints(config).map((endpoint) => openNode(endpoint, config, log));
  return new ElasticsearchSender(nodes);
}

/** One node of the cluster. */
interface Node {
  readonly target: string;
  /** @throws ExportError when the request as a whole was not accepted */
  send(request: QueuedRequest): Promise<BulkOutcome>;
  close(): Promise<void>;
}

/** Requests go to one node until it fails, and only the documents that were not accepted are sent again. */
class ElasticsearchSender implements Sender {
  readonly #nodes: readonly Node[];
  readonly #rests = new WeakMap<QueuedRequest, Rest>();
  #current = 0;

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
  }

  get target(): string {
    return this.#nodes.map(({ target }) => target).join(', ');
  }

  async send(request: QueuedRequest): Promise<Delivery> {
    const known = this.#rests.get(request) ?? { ...request, rejected: 0, reason: '' };
    const { busy, busyReason, rejected, reason } = await this.#send(known);
    const rest: Rest = {
      bytes: selectDocuments(known.bytes, busy),
      points: busy.length,
      rejected: known.rejected + rejected,
      reason: known.reason || reason,
    };
    if (rest.points === 0) return describeDelivery(rest);
    this.#rests.set(request, rest);
    throw new ExportError(`${rest.points} of ${known.points} documents were not accepted: ${busyReason}`, {
      retryable: true,
    });
  }

  async close(): Promise<void> {
    for (const node of this.#nodes) await node.close();
  }

  async #send(request: QueuedRequest): Promise<BulkOutcome> {
    const number = this.#current;
    try {
      return await elementAt(this.#nodes, number).send(request);
    } catch (error) {
      const isOver = error instanceof ExportError && error.retryable && number === this.#current;
      if (isOver) this.#current = (number + 1) % this.#nodes.length;
      throw error;
    }
  }
}

function describeDelivery({ rejected, reason }: Rest): Delivery {
  return rejected === 0 ? wholeDelivery : { rejectedPoints: rejected, message: reason };
}

function openNode(endpoint: string, config: Config, log: Log): Node {
  const sending = { ...config, headers: { ...config.headers, ...createLogin(config) } };
  const shared = { compression: createCompression(config), addressSettings: 'endpoint or endpoints' };
  const outcomes = new WeakMap<QueuedRequest, BulkOutcome>();
  const documents = openHttpSender(
    sending,
    {
      ...shared,
      url: bulkUrl(endpoint, config),
      contentType: 'application/x-ndjson',
      checkAnswer(answer, request) {
        outcomes.set(request, readAnswer(answer, request.points));
        return wholeDelivery;
      },
    },
    log,
  );
  const url = appendPath(endpoint, `/_index_template/${templateName}`);
  const template = openHttpSender(
    sending,
    { ...shared, url, method: 'PUT', contentType: 'application/json' },
    log,
  );
  let isPrepared = !config.create_index_template;
  return {
    target: documents.target.replace(/\?.*/u, ''),
    async send(request) {
      if (!isPrepared) await template.send(describeTemplate(config));
      isPrepared = true;
      await documents.send(request);
      return outcomes.get(request) ?? allTaken;
    },
    async close() {
      await documents.close();
      await template.close();
    },
  };
}

function bulkUrl(endpoint: string, { metrics_index: index, pipeline }: Config): URL {
  const url = appendPath(endpoint, `/${encodeURIComponent(index)}/_bulk`);
  url.searchParams.set('filter_path', answerParts);
  if (pipeline !== null) url.searchParams.set('pipeline', pipeline);
  return url;
}

/** The authorization header of the user or key in the settings. */
function createLogin({ user, password, api_key: key }: Config): Readonly<Record<string, string>> {
  if (key !== null) return { Authorization: `ApiKey ${key}` };
  if (user === null) return {};
  return { Authorization: basicAuthorization(`${user}:${password}`) };
}

function readAnswer({ body, isComplete }: HttpAnswer, points: number): BulkOutcome {
  try {
    if (!isComplete) throw new Error('expected a whole answer, found only its beginning');
    return readBulkAnswer(body, points);
  } catch (error) {
    // Stored documents are recognized by their ids when they are sent again.
    throw new ExportError(`Cannot read the answer: ${describeError(error)}`, {
      retryable: true,
      cause: error,
    });
  }
}
