import type { Consumer } from '../component/consumer.js';
import type { Table } from '../model/table.js';

/**
 * Hands every table to all of several consumers. Tables are immutable, so they share one object.
 * @returns the consumer itself where there is only one
 */
export function fanOut(consumers: readonly Consumer[]): Consumer {
  const [only] = consumers;
  if (consumers.length === 1 && only) return only;
  return {
    consume(table: Table): boolean {
      let taken = true;
      for (const consumer of consumers) {
        if (!consumer.consume(table)) taken = false;
      }
      return taken;
    },
  };
}
