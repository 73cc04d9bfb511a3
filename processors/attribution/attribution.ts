import type { ConsumingComponent, Context } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Table } from '../../src/model/table.js';
import type { Config } from './config.js';
import { CpuCount } from './cpu-count.js';
import { FloorStore } from './floor-store.js';
import { Ledger } from './ledger.js';
import { ShownSeries } from './shown-series.js';
import { observeLedger } from './telemetry.js';
import { UsageTick } from './usage-tick.js';
import { findGrouping, View } from './views.js';

/** How often what was learned is saved, beside at the end. */
const saveEveryNs = 600_000_000_000n;

/** Forwards every table, without the series of processes that are not shown, and adds tables of attributed energy. */
export class Attribution implements ConsumingComponent {
  readonly #config: Config;
  readonly #context: Context;
  readonly #next: Consumer;
  readonly #cpuCount: CpuCount;
  readonly #tick = new UsageTick();
  readonly #floors: FloorStore;
  /** Undefined: all series are forwarded. */
  readonly #shownSeries: ShownSeries | undefined;
  #views: readonly View[] = [];
  #ledger: Ledger | undefined;
  /** How often the shown processes changed in ledgers before this one. */
  #earlierChanges = 0;
  #stopObserving: (() => void) | undefined;
  #savedNs = 0n;

  constructor(config: Config, context: Context, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#next = next;
    this.#cpuCount = new CpuCount(config.cpu_count);
    this.#floors = new FloorStore(config.state_file, this.#cpuCount, context.log);
    this.#shownSeries = this.#createShownSeries();
  }

  start(): void {
    this.#floors.load();
    this.#savedNs = this.#context.clock.monotonicNs();
    this.#stopObserving = observeLedger(this.#context.meter, () => this.#ledger);
  }

  consume(table: Table): boolean {
    const ledger = (this.#ledger ??= this.#createLedger(table.epoch));
    ledger.prepare(table);
    const forwarded = this.#shownSeries ? this.#shownSeries.apply(table) : table;
    const isAccepted = forwarded === undefined || this.#next.consume(forwarded);
    this.#settle(ledger, table);
    const ending = this.#shownSeries?.sweep(table.epoch);
    if (ending) this.#next.consume(ending);
    return isAccepted;
  }

  shutdown(): void {
    if (this.#stopObserving === undefined) return;
    this.#stopObserving();
    this.#stopObserving = undefined;
    this.#handOn(this.#ledger?.finish() ?? []);
    this.#floors.save();
  }

  #settle(ledger: Ledger, table: Table): void {
    const settled = ledger.consume(table);
    this.#handOn(settled);
    if (settled.length > 0) this.#saveNowAndThen();
    if (ledger.isSetBack) this.#beginAnew(ledger, table);
  }

  /** A ledger only goes forward in time: where the clock was set back, another one begins. */
  #beginAnew(ledger: Ledger, table: Table): void {
    this.#handOn(ledger.close());
    this.#earlierChanges += this.#countChanges() + 1;
    this.#ledger = this.#createLedger(table.epoch);
    this.#handOn(this.#ledger.consume(table));
  }

  #createLedger(epoch: bigint): Ledger {
    const config = this.#config;
    this.#views = config.views.map(
      (name) => new View(findGrouping(name), name === 'process' ? config.process_limit : 0),
    );
    const terms = {
      config,
      floors: this.#floors,
      views: this.#views,
      cpuCount: this.#cpuCount,
      tick: this.#tick,
      epoch,
    };
    return new Ledger(terms, this.#context.log);
  }

  #createShownSeries(): ShownSeries | undefined {
    const { views, process_limit, process_metrics } = this.#config;
    const index = views.indexOf('process');
    if (index < 0 || process_limit === 0 || process_metrics === 'all') return undefined;
    const countChanges = () => this.#earlierChanges + this.#countChanges();
    return new ShownSeries({
      get version() {
        return countChanges();
      },
      // What is of no process that uses CPU time is not for this processor to leave out.
      has: (resource) => this.#ledger?.consumers.find(resource)?.groups[index].isShown ?? true,
    });
  }

  #countChanges(): number {
    return this.#views.reduce((sum, { changes }) => sum + changes, 0);
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
