import { writePage, type Format } from './exposition.js';
import type { Snapshot } from './snapshot.js';

/** The page of a snapshot, written in one step. */
export function renderText(snapshot: Snapshot, format: Format): string {
  const parts: Buffer[] = [];
  for (const _ of writePage(snapshot, format, (part) => parts.push(Buffer.from(part))));
  return Buffer.concat(parts).toString();
}

/** Its lines, without comments and the machine's resource. */
export function renderLines(snapshot: Snapshot, format: Format = 'classic'): readonly string[] {
  return renderText(snapshot, format).split('\n').filter(isSample);
}

function isSample(line: string): boolean {
  return line !== '' && !/^(?:#|target_info)/u.test(line);
}
