import type { Context } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Log } from '../../src/component/log.js';
import type { Table } from '../../src/model/table.js';

/** Number of tables without new damage after which it is over. */
const quietTables = 60;

/**
 * Logs once when bytes of a stream are rejected or samples are lost, and once when that has ended. Counts the
 * losses.
 */
export class StreamWatch implements Consumer {
  readonly #rejections: Damage;
  readonly #losses: Damage;
  readonly #next: Consumer;
  readonly #lossCounter;
  readonly #attributes: { readonly receiver: string };
  #lossCount = 0;
  #rejectedBytes = 0;

  constructor(device: string, { id, log, meter }: Context, next: Consumer) {
    this.#rejections = new Damage(log, `bytes of the stream of ${device} are no samples`);
    this.#losses = new Damage(log, `samples of ${device} are lost, and energy with them`);
    this.#next = next;
    this.#attributes = { receiver: id };
    this.#lossCounter = meter.createCounter('joulemetry.powersensor.losses', {
      unit: '{loss}',
      description:
        'Number of times that samples of a PowerSensor3 were lost, after which its energy restarts at 0',
    });
  }

  /** @param losses since the device was opened */
  follow(losses: number): void {
    // After the device was reopened, the number restarts at 0.
    if (losses > this.#lossCount) {
      this.#lossCounter.add(losses - this.#lossCount, this.#attributes);
      this.#losses.begin();
    }
    this.#lossCount = losses;
  }

  /** The last column of a table is the number of rejected bytes. */
  consume(table: Table): boolean {
    const rejectedBytes = table.values.at(-1);
    if (rejectedBytes !== undefined) {
      this.#losses.goOn();
      this.#rejections.goOn();
      if (rejectedBytes > this.#rejectedBytes) this.#rejections.begin();
      this.#rejectedBytes = rejectedBytes;
    }
    return this.#next.consume(table);
  }
}

/** A kind of recurring damage. */
class Damage {
  readonly #log: Log;
  readonly #what: string;
  /** Number of tables since the last damage. */
  #quiet = quietTables;

  constructor(log: Log, what: string) {
    this.#log = log;
    this.#what = what;
  }

  begin(): void {
    if (this.#quiet >= quietTables) this.#log.warn(`Damaged data: ${this.#what}`);
    this.#quiet = 0;
  }

  /** Must be called for each table. */
  goOn(): void {
    this.#quiet++;
    if (this.#quiet === quietTables) this.#log.info(`No longer: ${this.#what}`);
  }
}
