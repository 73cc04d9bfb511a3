import { isOfCredentials } from '../../src/export/http-answers.js';
import { cleanText } from '../../src/http/connection-error.js';

/** What became of one document of a bulk request. */
interface Item {
  readonly status?: number;
  readonly error?: { readonly type?: string; readonly reason?: string };
}

/** What became of the documents of a bulk request. */
export interface BulkOutcome {
  /** Numbers of the documents that are worth another attempt. */
  readonly busy: readonly number[];
  /** Why the first of them was not taken. */
  readonly busyReason: string;
  /** How many can never be taken. */
  readonly rejected: number;
  /** Why the first of them was not. */
  readonly reason: string;
}

/** What became of them where nothing else is said. */
export const allTaken: BulkOutcome = { busy: [], busyReason: '', rejected: 0, reason: '' };
const busyStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** A document with this id is there: it was taken by an attempt whose answer was lost. */
const conflict = 409;

/**
 * Reads the answer to a bulk request.
 * @throws Error when it is none
 */
export function readBulkAnswer(body: Buffer, documents: number): BulkOutcome {
  // Of an answer without errors, which may be long, nothing else is of interest.
  if (/^\{[^[{]*"errors":false/u.test(body.toString('latin1', 0, 200))) return allTaken;
  const items = listItems(body);
  if (items.length !== documents) {
    throw new Error(`expected an answer for each of ${documents} documents, found ${items.length}`);
  }
  const busy: number[] = [];
  const rejected: number[] = [];
  for (const [number, { status = 0 }] of items.entries()) {
    if (busyStatuses.has(status) || isOfCredentials(status)) busy.push(number);
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
  // What another server says may be anything: the fields are looked at one by one.
  const answer = JSON.parse(body.toString()) as { readonly items?: readonly { readonly create?: Item }[] };
  if (!Array.isArray(answer.items)) throw new Error('expected an answer with "items", found none');
  return answer.items.map((item) => item?.create ?? {});
}

function describeItem(item: Item | undefined): string {
  if (item === undefined) return '';
  const { status, error: { type = 'no type', reason = '' } = {} } = item;
  return `HTTP ${status}, ${cleanText(`${type}: ${reason}`)}`;
}
