import type { Consumer } from '../component/consumer.js';
import { countPoints } from '../model/table.js';

/** The way into the pipelines. Once it is closed, every table is refused, so that none passes a stage that has ended. */
export class Gate {
  #isClosed = false;
  #refusedPoints = 0;

  /** Points that came too late. */
  get refusedPoints(): number {
    return this.#refusedPoints;
  }

  /** Puts the gate before a consumer. */
  before(next: Consumer): Consumer {
    return {
      consume: (table) => {
        if (!this.#isClosed) return next.consume(table);
        this.#refusedPoints += countPoints(table);
        return false;
      },
    };
  }

  close(): void {
    this.#isClosed = true;
  }
}
