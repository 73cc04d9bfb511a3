import type { ConsumingComponent, Context } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Table } from '../../src/model/table.js';
import type { Config } from './config.js';
import { CpuCount } from './cpu-count.js';
import { FloorStore } from './floor-store.js';
import { Ledger } from './ledger.js';
import { observeLedger } from './telemetry.js';
import { findGrouping, View } from './views.js';

/** How often what was learned is saved, beside at the end. */
const saveEveryNs = 600_000_000_000n;

/** Passes every table on and adds tables of attributed energy. */
export class Attribution implements ConsumingComponent {
  readonly #config: Config;
  readonly #context: Context;
  readonly #next: Consumer;
  readonly #cpuCount: CpuCount;
  readonly #floors: FloorStore;
  #ledger: Ledger | undefined;
  #stopObserving: (() => void) | undefined;
  #savedNs = 0n;

  constructor(config: Config, context: Context, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#next = next;
    this.#cpuCount = new CpuCount(config.cpu_count);
    this.#floors = new FloorStore(config.state_file, this.#cpuCount, context.log);
  }

  start(): void {
    this.#floors.load();
    this.#savedNs = this.#context.clock.monotonicNs();
    this.#stopObserving = observeLedger(this.#context.meter, () => this.#ledger);
  }

  consume(table: Table): boolean {
    const isAccepted = this.#next.consume(table);
    this.#settle(table);
    return isAccepted;
  }

  shutdown(): void {
    if (this.#stopObserving === undefined) return;
    this.#stopObserving();
    this.#stopObserving = undefined;
    this.#handOn(this.#ledger?.finish() ?? []);
    this.#floors.save();
  }

  #settle(table: Table): void {
    this.#ledger ??= this.#createLedger(table.epoch);
    const settled = this.#ledger.consume(table);
    this.#handOn(settled);
    if (settled.length > 0) this.#saveNowAndThen();
    if (this.#ledger.isSetBack) this.#beginAnew(table);
  }

  /** A ledger only goes forward in time: where the clock was set back, another one begins. */
  #beginAnew(table: Table): void {
    this.#handOn(this.#ledger?.close() ?? []);
    this.#ledger = this.#createLedger(table.epoch);
    this.#handOn(this.#ledger.consume(table));
  }

  #createLedger(epoch: bigint): Ledger {
    const config = this.#config;
    const views = config.views.map((name) => new View(findGrouping(name)));
    const terms = { config, floors: this.#floors, views, cpuCount: this.#cpuCount, epoch };
    return new Ledger(terms, this.#context.log);
  }

  #handOn(tables: readonly Table[]): void {
    // What is refused is not lost: the next row holds the same totals, grown.
    for (const table of tables) this.#next.consume(table);
  }

  #saveNowAndThen(): void {
    const nowNs = this.#context.clock.monotonicNs();
    if (nowNs - this.#savedNs < saveEveryNs) return;
    this.#savedNs = nowNs;
    this.#floors.save();
  }
}
