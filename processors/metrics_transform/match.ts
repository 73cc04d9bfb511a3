import { compileGoRegexp, createTextTest } from '../../src/component/go-regexp.js';
import type { Attributes } from '../../src/model/series.js';
import type { TransformConfig } from './config.js';

/** The match of a metric's name: the groups of the regular expression, by number and by name. */
export interface Match {
  readonly groups: readonly (string | undefined)[];
  /** Names of the groups, starting with the first; those without a name are `$1`, `$2`, as in the Collector. */
  readonly names: readonly string[];
}

/** @returns undefined if the transform does not apply */
export type Matcher = (name: string, attributes: Attributes) => Match | undefined;

const plainMatch: Match = { groups: [], names: [] };

/** Whether a transform applies to a series, by the metric's name and the labels. */
export function createMatcher(config: TransformConfig): Matcher {
  const matchName = createNameMatcher(config);
  const labels = Object.entries(config.experimental_match_labels).map(
    ([label, text]) => [label, createTextTest(text, config.match_type)] as const,
  );
  return (name, attributes) => {
    const match = matchName(name);
    return match && labels.every(([label, matches]) => matches(textOf(attributes, label)))
      ? match
      : undefined;
  };
}

function createNameMatcher({
  include,
  match_type: type,
}: TransformConfig): (name: string) => Match | undefined {
  if (type === 'strict') return (name) => (name === include ? plainMatch : undefined);
  const regexp = compileGoRegexp(include);
  const names = namesOfGroups(regexp);
  return (name) => {
    const found = regexp.exec(name);
    return found ? { groups: found, names } : undefined;
  };
}

function namesOfGroups(regexp: RegExp): readonly string[] {
  // The empty alternative matches any string, and the match has all groups.
  const { length } = new RegExp(`${regexp.source}|`, regexp.flags).exec('') ?? [];
  const names = Array.from({ length: (length ?? 1) - 1 }, (_, i) => `$${i + 1}`);
  const named = regexp.source.matchAll(/\\.|\[(?:\\.|[^\]])*\]|\((?:\?<(?<name>\w+)>|(?!\?))/gsu);
  const groups = [...named].filter(([text]) => text.startsWith('('));
  return names.map((name, i) => groups[i]?.groups?.['name'] ?? name);
}

function textOf(attributes: Attributes, label: string): string {
  return Object.hasOwn(attributes, label) ? String(attributes[label]) : '';
}

/** A template of Go's Regexp.Expand: `$1`, `$name`, `${1}`, `${name}`, and `$$` for a dollar sign. */
export function expandTemplate(template: string, { groups, names }: Match): string {
  if (groups.length === 0) return template;
  return template.replaceAll(/\$(?:\$|(\w+)|\{(\w+)\})/gu, (whole, bare?: string, braced?: string) => {
    if (whole === '$$') return '$';
    const key = bare ?? braced ?? '';
    const index = /^\d+$/u.test(key) ? Number(key) : names.indexOf(key) + 1;
    return (index === 0 && key !== '0' ? undefined : groups[index]) ?? '';
  });
}
