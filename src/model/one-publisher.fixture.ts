import { OnePublisher } from './one-publisher.js';
import type { Table } from './table.js';

/** Publishers on a clock that a test sets, and the conflicts that they reported. */
export function createPublishers() {
  const conflicts: string[] = [];
  const clock = { ms: 0 };
  const publishers = new OnePublisher(
    ({ attributes }, owner) => conflicts.push(`${String(attributes['name'])} of ${owner}`),
    () => clock.ms,
  );
  const valuesOf = (table: Table) => [...(publishers.apply(table)?.values ?? [])];
  return { publishers, conflicts, clock, valuesOf };
}
