import type { ConsumingComponent, Context } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { readResourceEnvironment } from '../../src/component/resource-environment.js';
import { loadCalibrations, type Calibration } from '../../src/energy/calibration.js';
import { CpuCount } from '../../src/energy/floor-learner.js';
import { FloorStore } from '../../src/energy/floor-store.js';
import { describeError } from '../../src/errors.js';
import type { Table } from '../../src/model/table.js';
import { UsageTick } from '../../src/usage/usage.js';
import { View } from '../../src/usage/view.js';
import { findViews } from '../../src/usage/views.js';
import { AuditFile } from './audit-file.js';
import type { Ended, SettledWindow } from './audit-sheet.js';
import type { Config } from './config.js';
import { Ledger } from './ledger.js';
import { observeLedger } from './ledger-telemetry.js';
import { PackageSeries, ShownSeries } from './shown-series.js';

/** How often learned floors are saved while the processor runs; they are also saved at shutdown. */
const saveEveryNs = 600_000_000_000n;

/** Forwards every table, without the series of processes that are not shown, and adds tables of attributed energy. */
export class Attribution implements ConsumingComponent {
  readonly #config: Config;
  readonly #context: Context;
  readonly #next: Consumer;
  readonly #cpuCount: CpuCount;
  readonly #tick = new UsageTick();
  readonly #floors: FloorStore;
  /** Undefined: the usage by package is forwarded as well. */
  readonly #packageSeries: PackageSeries | undefined;
  /** Undefined: all series are forwarded. */
  readonly #shownSeries: ShownSeries | undefined;
  /** Undefined: the energy is not attributed to individual processes. */
  #processView: View | undefined;
  /** Undefined: no audit file is written. */
  readonly #audit: AuditFile | undefined;
  #ledger: Ledger | undefined;
  #calibrations: ReadonlyMap<string, Calibration> = new Map();
  /** How often the shown processes changed in earlier ledgers. */
  #earlierChanges = 0;
  #stopObserving: (() => void) | undefined;
  #savedNs = 0n;

  constructor(config: Config, context: Context, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#next = next;
    this.#cpuCount = new CpuCount(config.cpu_count);
    this.#floors = new FloorStore(config, this.#cpuCount, context.log);
    if (config.process_metrics !== 'all') this.#packageSeries = new PackageSeries();
    this.#shownSeries = this.#createShownSeries();
    const { audit } = config;
    if (audit?.path) this.#audit = new AuditFile({ ...audit, path: audit.path }, context.log);
  }

  start(): void {
    this.#floors.load();
    this.#loadCalibrations();
    this.#savedNs = this.#context.clock.monotonicNs();
    this.#stopObserving = observeLedger(this.#context.meter, () => this.#ledger);
  }

  consume(table: Table): boolean {
    const ledger = (this.#ledger ??= this.#createLedger(table.epoch));
    ledger.prepare(table);
    const own = this.#packageSeries ? this.#packageSeries.apply(table) : table;
    const forwarded = own && this.#shownSeries ? this.#shownSeries.apply(own) : own;
    const isAccepted = forwarded === undefined || this.#next.consume(forwarded);
    this.#settle(ledger, table);
    const ending = this.#shownSeries?.sweep(table.epoch);
    if (ending) this.#next.consume(ending);
    return isAccepted;
  }

  shutdown(): void | Promise<void> {
    if (this.#stopObserving === undefined) return;
    this.#stopObserving();
    this.#stopObserving = undefined;
    this.#forward(this.#ledger?.finish() ?? []);
    this.#floors.save();
    return this.#audit?.close();
  }

  /** An unusable file is no reason to stop: losses are then found by regression. */
  #loadCalibrations(): void {
    const { calibration_file: path } = this.#config;
    if (path === null) return;
    try {
      this.#calibrations = loadCalibrations(path);
    } catch (error) {
      this.#context.log.warn(`${describeError(error)}; losses are found by regression`);
    }
  }

  #settle(ledger: Ledger, table: Table): void {
    const settled = ledger.consume(table);
    this.#forward(settled);
    if (settled.length > 0) this.#savePeriodically();
    if (ledger.isSetBack) this.#restart(ledger, table);
  }

  /** A ledger only moves forward in time: where the clock was set back, a new one replaces it. */
  #restart(ledger: Ledger, table: Table): void {
    this.#forward(ledger.close());
    this.#earlierChanges += this.#countChanges() + 1;
    this.#ledger = this.#createLedger(table.epoch);
    this.#forward(this.#ledger.consume(table));
  }

  #createLedger(epoch: bigint): Ledger {
    const config = this.#config;
    // The service name of this collector and its other resource attributes from the environment are on all
    // tables that it reads.
    const common = readResourceEnvironment(process.env, () => {});
    const views = findViews(config).map((definition) => {
      const isOfProcesses = definition.groupBy.length === 0;
      return new View(definition, isOfProcesses ? config.process_limit : config.group_limit, {
        common,
        shownPids: config.shown_pids,
        minNj: config.min_energy * 1e9,
      });
    });
    this.#processView = views[config.views.indexOf('process')];
    const audit = this.#audit;
    const options = {
      id: this.#context.id,
      config,
      floors: this.#floors,
      calibrations: this.#calibrations,
      views,
      cpuCount: this.#cpuCount,
      tick: this.#tick,
      epoch,
      ...(audit && {
        audit: (settled: SettledWindow) => audit.add(settled),
        forget: (ended: Ended) => audit.forget(ended),
      }),
    };
    return new Ledger(options, this.#context.log);
  }

  #createShownSeries(): ShownSeries | undefined {
    const { views, process_limit, min_energy, process_metrics } = this.#config;
    const index = views.indexOf('process');
    const isLimited = process_limit > 0 || min_energy > 0;
    if (index < 0 || !isLimited || process_metrics === 'all') return undefined;
    const countChanges = () => this.#earlierChanges + this.#countChanges();
    return new ShownSeries({
      get version() {
        return countChanges();
      },
      // Series of resources without CPU time are always forwarded.
      has: (resource) => this.#ledger?.workloads.find(resource)?.groups[index]?.isShown ?? true,
    });
  }

  #countChanges(): number {
    return this.#processView?.changes ?? 0;
  }

  #forward(tables: readonly Table[]): void {
    // Rejected tables lose nothing: the next row holds the cumulative totals.
    for (const table of tables) this.#next.consume(table);
  }

  #savePeriodically(): void {
    const nowNs = this.#context.clock.monotonicNs();
    if (nowNs - this.#savedNs < saveEveryNs) return;
    this.#savedNs = nowNs;
    this.#floors.save();
  }
}
