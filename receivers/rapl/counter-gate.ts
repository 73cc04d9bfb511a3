import type { ReceiverContext } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Series } from '../../src/model/series.js';
import { copyLastRow, createEnding, readLatest, selectColumns, type Table } from '../../src/model/table.js';
import { Counter, type CounterState } from './counter.js';
import {
  CounterHealth,
  describeUndecided,
  findPackage,
  findTwins,
  Twins,
  type ReadCounter,
} from './counter-health.js';
import {
  claimKey,
  createSeries,
  identifyDomain,
  nameDomain,
  nameWhole,
  type Columns,
  type Domain,
} from './domain.js';

/** The counters of a set of columns. */
interface Group {
  readonly counters: readonly Counter[];
  /** By column, that of the package whose energy shows whether a part is dead. */
  readonly packages: readonly (number | undefined)[];
  readonly twins: readonly Twins[];
  readonly latest: Float64Array;
}

/** How the columns of a table are published. */
interface Plan {
  readonly from: readonly Series[];
  readonly columns: readonly number[];
  readonly bases: readonly number[];
  readonly series: readonly Series[];
  /** Whether a table is forwarded unchanged. */
  readonly isWhole: boolean;
}

export interface GateOptions {
  /** Called when the set of published counters changes. */
  onChange(): void;
  readonly readCounter: ReadCounter;
  readonly nowMs: () => number;
}

// Twins that are known to be identical are compared this often.
const compareMs = 1_000;

/**
 * The sampler reads every counter; the gate publishes those that are known to count. Counters are cumulative:
 * the count while a decision was pending is in the first published row, in a series that starts when counting
 * did. A counter whose name changes counts from 0 under the new name.
 */
export class CounterGate implements Consumer {
  readonly #context: Pick<ReceiverContext, 'claims' | 'host' | 'log'>;
  readonly #next: Consumer;
  readonly #options: GateOptions;
  readonly #counters = new Map<string, Counter>();
  readonly #twins = new Map<string, Twins>();
  #group: Group = { counters: [], packages: [], twins: [], latest: new Float64Array(0) };
  #plan: Plan | undefined;
  #comparedMs = -Infinity;
  #latest: Table | undefined;

  constructor(
    context: Pick<ReceiverContext, 'claims' | 'host' | 'log'>,
    next: Consumer,
    options: GateOptions,
  ) {
    this.#context = context;
    this.#next = next;
    this.#options = options;
  }

  /** Every counter that is read, in column order. */
  get states(): readonly CounterState[] {
    return this.#group.counters;
  }

  /** The folder of the zone behind a published series; empty for perf_event. */
  findPath(series: Series): string {
    return this.#group.counters.find(({ published }) => published === series)?.path ?? '';
  }

  /** For messages: counters that may be identical, which is not known yet. */
  describeUndecided(): readonly string[] {
    const { counters, twins } = this.#group;
    return twins
      .filter(({ verdict }) => verdict === 'unknown')
      .map((one) => counters.filter((counter) => counter.health.twins === one).map(nameCounter))
      .map(describeUndecided);
  }

  /** The published domains. */
  get published(): readonly Domain[] {
    return this.#group.counters.filter(({ isShown }) => isShown).map(({ shownDomain }) => shownDomain);
  }

  /**
   * Creates the series of a sampler's columns; known counters keep their health.
   * @param start Unix time in nanoseconds of their first row
   */
  describe(columns: Columns, start: bigint): readonly Series[] {
    const counters = columns.domains.map((domain, column) => this.#findCounter(columns, column, domain));
    const twins = findTwins(counters).map((group) => this.#findTwins(group, counters));
    const { domains } = columns;
    const packages = domains.map((domain) => findPackage(domains, domain));
    this.#group = { counters, packages, twins, latest: new Float64Array(domains.length).fill(NaN) };
    return createSeries(columns, this.#context.host, start);
  }

  consume(table: Table): boolean {
    // What was held back for them would have no later row.
    if (table.ended !== undefined) this.settle();
    if (table.ended !== undefined) this.#latest = undefined;
    const ended = table.ended?.flatMap((series) => this.#end(series));
    if (table.offsets.length === 0) return this.#forwardEnding(table, ended ?? []);
    this.#latest = table;
    this.#adopt(table.series);
    this.#look(table);
    const hidden = this.#endHidden();
    return this.#forward(table, [...(ended ?? []), ...hidden]);
  }

  /** Decides what can be decided, and publishes the last readings that were held back. */
  settle(): void {
    const table = this.#latest;
    const last = table && copyLastRow(table);
    if (table === undefined || last === undefined) return;
    const before = new Set(this.#plan?.series);
    for (const twins of this.#group.twins) twins.settle(this.#options.readCounter);
    const hidden = this.#endHidden();
    const { columns, bases, series } = this.#findPlan(table);
    const added = [...series.keys()].filter((i) => !before.has(series[i]));
    if (added.length === 0 && hidden.length === 0) return;
    const plan = {
      columns: added.map((i) => columns[i]),
      bases: added.map((i) => bases[i]),
      series: added.map((i) => series[i]),
    };
    this.#remember(table, plan);
    this.#next.consume({ ...keepColumns(last, plan), ended: hidden });
  }

  #findCounter({ sources, paths, hasCounted }: Columns, column: number, domain: Domain): Counter {
    const source = sources[column];
    const key = `${source} ${nameDomain(domain)}`;
    const known = this.#counters.get(key);
    if (known !== undefined) return known;
    const counter = new Counter({
      domain,
      source,
      path: paths[column],
      health: new CounterHealth(hasCounted[column], this.#options.nowMs()),
      owner: this.#claim(domain),
    });
    this.#counters.set(key, counter);
    return counter;
  }

  #claim(domain: Domain): string | undefined {
    const { claims } = this.#context;
    const key = claimKey(domain);
    claims.place({ id: identifyDomain(domain), key: key.replace('energy/', '') });
    return claims.claim(key);
  }

  #findTwins(group: readonly number[], counters: readonly Counter[]): Twins {
    const paths = group.map((column) => counters[column].path);
    const key = paths.join();
    const twins = this.#twins.get(key) ?? new Twins(paths);
    this.#twins.set(key, twins);
    for (const column of group)
      Object.assign(counters[column].health, { twins, isFirst: column === group[0] });
    return twins;
  }

  /** A new series is that of a counter that was opened or reset. */
  #adopt(series: readonly Series[]): void {
    if (series === this.#plan?.from) return;
    for (const [column, one] of series.entries()) {
      const counter = this.#group.counters[column];
      if (counter.column !== one) counter.begin(one);
    }
  }

  /** @returns what was published of a column without further rows */
  #end(series: Series): readonly Series[] {
    const counter = [...this.#counters.values()].find(({ column }) => column === series);
    const published = counter?.end();
    return published ? [published] : [];
  }

  #look(table: Table): void {
    const { counters, packages, latest, twins } = this.#group;
    const nowMs = this.#options.nowMs();
    for (let column = 0; column < counters.length; column++) latest[column] = readLatest(table, column);
    for (let column = 0; column < counters.length; column++) {
      const of = packages[column];
      counters[column].look(latest[column], of === undefined ? of : latest[of], nowMs);
    }
    const isDue = nowMs - this.#comparedMs >= compareMs || twins.some(({ verdict }) => verdict === 'unknown');
    if (twins.length === 0 || !isDue) return;
    this.#comparedMs = nowMs;
    for (const one of twins) this.#compare(one);
  }

  #compare(twins: Twins): void {
    const before = twins.verdict;
    twins.compare(this.#options.readCounter);
    if (twins.verdict === before) return;
    const counters = this.#group.counters.filter((counter) => counter.health.twins === twins);
    const names = counters.map(nameCounter).join(' and ');
    const whole = nameWhole(counters[0].domain);
    const { log } = this.#context;
    this.#claim(whole);
    if (twins.verdict === 'same')
      log.info(`${names} show the same counter: published once, as ${nameDomain(whole)}`);
    else if (before === 'same') log.warn(`${names} no longer show the same counter: published separately`);
  }

  /** @returns the series of counters that are no longer published, or not under that name */
  #endHidden(): readonly Series[] {
    return this.#group.counters.flatMap((counter) => counter.hide() ?? []);
  }

  #forward(table: Table, ended: readonly Series[]): boolean {
    const plan = this.#findPlan(table);
    const kept = plan.isWhole ? table : keepColumns(table, plan);
    this.#remember(table, plan);
    if (plan.series.length === 0) return this.#forwardEnding(table, ended);
    const { series, epoch, offsets, values } = kept;
    return this.#next.consume({ series, epoch, offsets, values, ...(ended.length > 0 && { ended }) });
  }

  #forwardEnding({ epoch }: Table, ended: readonly Series[]): boolean {
    if (ended.length === 0) return true;
    return this.#next.consume(createEnding(ended, epoch));
  }

  #remember({ epoch, offsets }: Table, { columns }: Pick<Plan, 'columns'>): void {
    const at = epoch + BigInt(offsets[offsets.length - 1]);
    for (const column of columns) this.#group.counters[column].remember(at, this.#group.latest[column]);
  }

  #findPlan({ series: from }: Table): Plan {
    const { counters } = this.#group;
    const columns = [...counters.keys()].filter((column) => counters[column].isShown);
    const known = this.#plan;
    const isKnown =
      known?.from === from &&
      known.columns.length === columns.length &&
      columns.every((column, i) => counters[column].published === known.series[i]);
    if (isKnown) return known;
    const series = columns.map((column) => counters[column].publish(from[column]));
    const bases = columns.map((column) => counters[column].baseJoules);
    const isWhole = columns.length === from.length && from.every((one, i) => one === series[i]);
    this.#plan = { from, columns, bases, series: isWhole ? from : series, isWhole };
    this.#options.onChange();
    return this.#plan;
  }
}

function nameCounter({ domain, source }: Pick<Counter, 'domain' | 'source'>): string {
  return `${nameDomain(domain)} (${source})`;
}

/** Their energy since they have had the current name. */
function keepColumns(
  table: Table,
  { columns, bases, series }: Pick<Plan, 'columns' | 'bases' | 'series'>,
): Table {
  const kept = selectColumns(table, { columns, series });
  if (bases.every((base) => base === 0)) return kept;
  for (let cell = 0; cell < kept.values.length; cell++) kept.values[cell] -= bases[cell % bases.length];
  return kept;
}
