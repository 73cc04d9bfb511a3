import { describeGroup, findAttribute, hasAttributes } from '../../src/model/group.js';
import { findOrAdd } from '../../src/model/plan.js';
import {
  kindNames,
  type AnySeries,
  type AttributeValue,
  type Metric,
  type Resource,
  type Series,
} from '../../src/model/series.js';
import type { WindowedSource } from '../../src/windows/windowed-source.js';
import type { FormulaConfig, InputConfig } from './config.js';
import type { Evaluate } from './expression.js';

type Sources = Set<WindowedSource>;

/** An input of a formula, and its sources by their grouping attributes. */
interface Input {
  readonly config: InputConfig;
  readonly byKey: Map<string, Sources>;
  /** For each combination of attributes seen: which of `group_by` they are. */
  readonly patterns: Map<string, readonly number[]>;
}

/** The group of a source. */
export interface Membership {
  readonly source: WindowedSource;
  readonly input: number;
  readonly sources: Sources;
  /** Undefined: it counts for several groups. */
  readonly group: Group | undefined;
}

/** One combination of a formula's grouping attributes, with a result of its own. */
export interface Group {
  readonly key: string;
  readonly values: readonly (AttributeValue | undefined)[];
  /** Number of sources that have all of its attributes. */
  members: number;
  /** For each input, the sources that count for this group; undefined: to be looked up. */
  sets: readonly (readonly Sources[])[] | undefined;
  series: Series | undefined;
  /** For a counter: the sum of all windows. */
  sum: number;
}

/** The results of one formula, group by group. */
export class FormulaGroups {
  readonly config: FormulaConfig;
  readonly metric: Metric;
  /** Whether groups have started or ended since this was last read. */
  isChanged = false;
  readonly #inputs: readonly Input[];
  readonly #evaluate: Evaluate;
  readonly #values: Float64Array;
  readonly #host: Resource;
  readonly #groups = new Map<string, Group>();
  #ended: Series[] = [];

  constructor(config: FormulaConfig, evaluate: Evaluate, host: Resource) {
    this.config = config;
    this.metric = createFormulaMetric(config);
    this.#evaluate = evaluate;
    this.#host = host;
    this.#inputs = config.inputs.map((input) => ({ config: input, byKey: new Map(), patterns: new Map() }));
    this.#values = new Float64Array(config.inputs.length);
  }

  get groups(): Iterable<Group> {
    return this.#groups.values();
  }

  get size(): number {
    return this.#groups.size;
  }

  /** The inputs that a series belongs to, by number. */
  findInputs(series: AnySeries): readonly number[] {
    return [...this.#inputs.keys()].filter((number) => {
      const { config } = this.#inputs[number];
      return series.metric.name === config.metric && hasAttributes(series, config.attributes);
    });
  }

  /** Why a series cannot be this input; undefined: it can. */
  findMismatch(input: number, { metric: { kind, name } }: AnySeries, source: WindowedSource) {
    const { name: own, take } = this.#inputs[input].config;
    if (source.isCounter || take === 'auto' || take === 'value') return undefined;
    return `Cannot use "${name}" as input "${own}" of "${this.metric.name}": expected a counter, which has a ${take}, found ${kindNames[kind]}; set "take: value"`;
  }

  join(source: WindowedSource, series: AnySeries, input: number): Membership {
    const values = this.config.group_by.map((name) => findAttribute(series, name));
    const pattern = [...values.keys()].filter((index) => values[index] !== undefined);
    const { byKey, patterns } = this.#inputs[input];
    const sources = findOrAdd(byKey, createKey(values, pattern), () => new Set());
    sources.add(source);
    const patternKey = pattern.join();
    if (!patterns.has(patternKey)) {
      patterns.set(patternKey, pattern);
      for (const group of this.#groups.values()) group.sets = undefined;
    }
    const group = pattern.length === values.length ? this.#enterGroup(values, series) : undefined;
    return { source, input, sources, group };
  }

  leave({ source, sources, group }: Membership): void {
    sources.delete(source);
    if (group === undefined) return;
    group.members -= 1;
    if (group.members > 0) return;
    this.#groups.delete(group.key);
    this.isChanged = true;
    if (group.series) this.#ended.push(group.series);
  }

  /** The series that have ended since the last call. */
  takeEnded(): readonly Series[] {
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  /** The result of a group in a window; NaN: none. */
  compute(group: Group, window: number): number {
    group.sets ??= this.#findSets(group);
    for (let i = 0; i < this.#inputs.length; i++) {
      this.#values[i] = combine(group.sets[i], window, this.#inputs[i].config);
    }
    const result = this.#evaluate(this.#values);
    // A division by zero: a sum could never recover from it.
    if (!Number.isFinite(result)) return NaN;
    if (this.config.kind === 'gauge') return result;
    if (result < 0) return NaN;
    group.sum += result;
    return group.sum;
  }

  #enterGroup(values: Group['values'], series: AnySeries): Group {
    const key = createKey(values, [...values.keys()]);
    const group = findOrAdd(this.#groups, key, () => {
      this.isChanged = true;
      return { key, values, members: 0, sets: undefined, series: undefined, sum: 0 };
    });
    group.members += 1;
    // Its start is known only with its first window.
    group.series ??= {
      metric: this.metric,
      ...describeGroup(series, this.config.group_by, this.#host),
      start: -1n,
    };
    return group;
  }

  #findSets({ values }: Group): readonly (readonly Sources[])[] {
    return this.#inputs.map(({ byKey, patterns }) =>
      Array.from(patterns.values(), (pattern) =>
        findOrAdd(byKey, createKey(values, pattern), () => new Set()),
      ),
    );
  }
}

/** The metric of a formula's results. */
export function createFormulaMetric({ name, unit, description, kind, expression }: FormulaConfig): Metric {
  return { name: name ?? '', unit, description: description ?? `${expression}`, kind, valueType: 'double' };
}

function createKey(values: Group['values'], pattern: readonly number[]): string {
  return JSON.stringify(pattern.map((index) => [index, values[index]]));
}

/** The value of an input; NaN if a series that existed all the time is unknown. */
function combine(sets: readonly Sources[], window: number, { take, combine: how }: InputConfig): number {
  let count = 0;
  let sum = 0;
  let least = Infinity;
  let greatest = -Infinity;
  for (const sources of sets) {
    for (const source of sources) {
      const value = source.take(window, take);
      if (Number.isNaN(value) && source.isPartial(window)) continue;
      count += 1;
      sum += value;
      least = Math.min(least, value);
      greatest = Math.max(greatest, value);
    }
  }
  if (count === 0) return NaN;
  switch (how) {
    case 'sum':
      return sum;
    case 'mean':
      return sum / count;
    case 'min':
      return least;
    case 'max':
      return greatest;
  }
}
