import { passHistograms, type Consumer } from '../component/consumer.js';

/** Refuses every table: its consumer does not exist, or not yet. */
export const refusing: Consumer = { consume: () => false, consumeHistograms: () => false };

/** A place in a pipeline whose consumer can be replaced while tables pass. */
export class Slot implements Consumer {
  target: Consumer = refusing;

  consume(table: Parameters<Consumer['consume']>[0]): boolean {
    return this.target.consume(table);
  }

  consumeHistograms(table: Parameters<typeof passHistograms>[1]): boolean {
    return passHistograms(this.target, table);
  }
}
