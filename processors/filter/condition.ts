import { compileGoRegexp } from '../../src/component/go-regexp.js';
import type { AnySeries, AttributeValue } from '../../src/model/series.js';

/** The value of a part of a condition for a series; undefined: nil, for example a missing attribute. */
type Value = AttributeValue | undefined;
type Operand = (series: AnySeries) => Value;
export type Condition = (series: AnySeries) => boolean;

const tokenPattern =
  /\s*(?:("(?:[^"\\]|\\.)*")|([A-Za-z_][\w.]*)|(-?\d+(?:\.\d+)?)|(==|!=|[()[\],])|(\S))/guy;

/**
 * Compiles a condition in the Collector's transformation language, limited to names, units, types and
 * attributes: `==`, `!=`, `IsMatch`, `and`, `or`, `not` and parentheses.
 * @param context what a path without a prefix belongs to
 * @throws Error naming the unsupported part
 */
export function compileCondition(text: string, context: 'series' | 'resource' = 'series'): Condition {
  return new ConditionParser(text, context).parse();
}

/** The Collector's names of the types of metrics. Summaries arrive as counters; those without a type never. */
const typeNames = {
  gauge: 'METRIC_DATA_TYPE_GAUGE',
  counter: 'METRIC_DATA_TYPE_SUM',
  updowncounter: 'METRIC_DATA_TYPE_SUM',
  histogram: 'METRIC_DATA_TYPE_HISTOGRAM',
  exponential_histogram: 'METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM',
} as const;

const paths: Readonly<Record<string, Operand>> = {
  name: ({ metric }) => metric.name,
  unit: ({ metric }) => metric.unit,
  description: ({ metric }) => metric.description,
  type: ({ metric }) => typeNames[metric.kind],
  'metric.name': ({ metric }) => metric.name,
  'metric.unit': ({ metric }) => metric.unit,
  'metric.description': ({ metric }) => metric.description,
  'metric.type': ({ metric }) => typeNames[metric.kind],
};

type AttributeMap = (series: AnySeries) => AnySeries['attributes'];

const ofResource: AttributeMap = ({ resource }) => resource.attributes;

const maps: Readonly<Record<string, AttributeMap>> = {
  attributes: ({ attributes }) => attributes,
  'datapoint.attributes': ({ attributes }) => attributes,
  'resource.attributes': ofResource,
};

/** What a condition on resources knows. */
const resourceMaps: Readonly<Record<string, AttributeMap>> = {
  attributes: ofResource,
  'resource.attributes': ofResource,
};

const literals: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['true', true],
  ['false', false],
  ['nil', undefined],
  ...['METRIC_DATA_TYPE_NONE', 'METRIC_DATA_TYPE_SUMMARY', ...Object.values(typeNames)].map(
    (name) => [name, name] as const,
  ),
]);

class ConditionParser {
  readonly #tokens: readonly string[];
  readonly #context: 'series' | 'resource';
  #at = 0;

  constructor(text: string, context: 'series' | 'resource') {
    this.#context = context;
    this.#tokens = [...text.matchAll(tokenPattern)].map(([token]) => token.trim());
  }

  parse(): Condition {
    const condition = this.#parseOr();
    if (this.#at < this.#tokens.length) throw this.#unexpected('"and", "or" or the end');
    return condition;
  }

  #parseOr(): Condition {
    const parts = [this.#parseAnd()];
    while (this.#take('or')) parts.push(this.#parseAnd());
    return (series) => parts.some((part) => part(series));
  }

  #parseAnd(): Condition {
    const parts = [this.#parseNot()];
    while (this.#take('and')) parts.push(this.#parseNot());
    return (series) => parts.every((part) => part(series));
  }

  #parseNot(): Condition {
    if (this.#take('not')) {
      const negated = this.#parseNot();
      return (series) => !negated(series);
    }
    if (this.#take('(')) {
      const inner = this.#parseOr();
      this.#expect(')');
      return inner;
    }
    return this.#take('IsMatch') ? this.#parseMatch() : this.#parseComparison();
  }

  #parseMatch(): Condition {
    this.#expect('(');
    const operand = this.#parseOperand();
    this.#expect(',');
    const regexp = compileGoRegexp(this.#parseText());
    this.#expect(')');
    return (series) => {
      const value = operand(series);
      return value !== undefined && regexp.test(String(value));
    };
  }

  #parseComparison(): Condition {
    const left = this.#parseOperand();
    const isEqual = this.#take('==');
    if (!isEqual && !this.#take('!=')) throw this.#unexpected('== or !=');
    const right = this.#parseOperand();
    return (series) => (left(series) === right(series)) === isEqual;
  }

  #parseOperand(): Operand {
    const token = this.#tokens[this.#at] ?? '';
    if (token.startsWith('"')) {
      const text = this.#parseText();
      return () => text;
    }
    if (!/^[\w-]/u.test(token)) throw this.#unexpected('a name, an attribute or a value');
    this.#at += 1;
    if (literals.has(token)) return () => literals.get(token);
    if (/^-?\d/u.test(token)) return () => Number(token);
    return this.#parsePath(token);
  }

  #parsePath(token: string): Operand {
    const isOfResource = this.#context === 'resource';
    const path = !isOfResource && Object.hasOwn(paths, token) ? paths[token] : undefined;
    if (path) return path;
    const known = isOfResource ? resourceMaps : maps;
    const map = Object.hasOwn(known, token) ? known[token] : undefined;
    if (map === undefined) {
      this.#at -= 1;
      throw this.#unexpected(
        isOfResource
          ? 'attributes["..."] or IsMatch'
          : 'name, unit, type, attributes["..."], resource.attributes["..."] or IsMatch',
      );
    }
    this.#expect('[');
    const key = this.#parseText();
    this.#expect(']');
    return (series) => {
      const attributes = map(series);
      return Object.hasOwn(attributes, key) ? attributes[key] : undefined;
    };
  }

  #parseText(): string {
    const token = this.#tokens[this.#at] ?? '';
    if (token.length < 2 || !token.startsWith('"')) throw this.#unexpected('a text in quotes');
    this.#at += 1;
    return token.slice(1, -1).replaceAll(/\\(["\\])/gu, '$1');
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#unexpected(`"${token}"`);
  }

  #unexpected(wanted: string): Error {
    const found = this.#tokens[this.#at];
    return new Error(
      `expected ${wanted}, found ${found === undefined ? 'the end' : `"${found.replaceAll('"', '')}"`}`,
    );
  }
}
