import { isOfCredentials, isRetryableStatus } from '../../src/export/http-answers.js';
import { cleanText } from '../../src/http/connection-error.js';

/** The result for one document of a bulk request. */
interface Item {
  readonly status?: number;
  readonly error?: { readonly type?: string; readonly reason?: string };
}

/** The results for the documents of a bulk request. */
export interface BulkOutcome {
  /** Indices of the documents that are worth another attempt. */
  readonly busy: readonly number[];
  /** The reason for the first of them. */
  readonly busyReason: string;
  /** How many were rejected permanently. */
  readonly rejected: number;
  /** The reason for the first of these. */
  readonly reason: string;
}

/** The result where the answer reports no errors. */
export const allTaken: BulkOutcome = { busy: [], busyReason: '', rejected: 0, reason: '' };

/** A document with this id exists: an earlier attempt, whose answer was lost, stored it. */
const conflict = 409;

/**
 * Reads the answer to a bulk request.
 * @throws Error when it is not a valid answer
 */
export function readBulkAnswer(body: Buffer, documents: number): BulkOutcome {
  // An answer without errors may be long, and nothing else in it matters.
  if (/^\{[^[{]*"errors":false/u.test(body.toString('latin1', 0, 200))) return allTaken;
  const items = listItems(body);
  if (items.length !== documents) {
    throw new Error(`expected an answer for each of ${documents} documents, found ${items.length}`);
  }
  const busy: number[] = [];
  const rejected: number[] = [];
  for (const [number, { status = 0 }] of items.entries()) {
    if (isRetryableStatus(status) || isOfCredentials(status)) busy.push(number);
    else if (status >= 300 && status !== conflict) rejected.push(number);
  }
  return {
    busy,
    busyReason: describeItem(items[busy[0] ?? -1]),
    rejected: rejected.length,
    reason: describeItem(items[rejected[0] ?? -1]),
  };
}

function listItems(body: Buffer): readonly Item[] {
  // A foreign server may send anything: the fields are checked one by one.
  const answer = JSON.parse(body.toString()) as { readonly items?: readonly { readonly create?: Item }[] };
  if (!Array.isArray(answer.items)) throw new Error('expected an answer with "items", found none');
  return answer.items.map((item) => item?.create ?? {});
}

function describeItem(item: Item | undefined): string {
  if (item === undefined) return '';
  const { status, error: { type = 'no type', reason = '' } = {} } = item;
  return `HTTP ${status}, ${cleanText(`${type}: ${reason}`)}`;
}
