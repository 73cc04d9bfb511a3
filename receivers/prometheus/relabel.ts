import { createHash } from 'node:crypto';
import { describeError } from '../../src/errors.js';
import type { Labels } from './series-text.js';

/** The actions of rules. */
export const relabelActions = [
  'replace',
  'keep',
  'drop',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
] as const;

/** A rule in the configuration. */
export interface RelabelConfig {
  readonly source_labels: readonly string[];
  readonly separator: string;
  readonly target_label: string | null;
  readonly regex: string;
  readonly modulus: number;
  readonly replacement: string;
  readonly action: (typeof relabelActions)[number];
}

/** Changes labels; false: the sample or target is dropped. */
type Rule = (labels: Labels) => boolean;

/** Validates rules. */
export function checkRelabelling(configs: readonly RelabelConfig[], path: string): readonly string[] {
  return configs.flatMap((config, i) => {
    const { action, target_label: target, source_labels: sources, modulus } = config;
    const problems: string[] = [];
    const needsTarget = !['keep', 'drop', 'labelmap', 'labeldrop', 'labelkeep'].includes(action);
    if (needsTarget && target === null)
      problems.push(`${path}[${i}].target_label: expected a label for ${action}, found none`);
    if (action === 'hashmod' && modulus < 1)
      problems.push(`${path}[${i}].modulus: expected at least 1, found ${modulus}`);
    if (['keep', 'drop'].includes(action) && sources.length === 0)
      problems.push(`${path}[${i}].source_labels: expected labels for ${action}, found none`);
    try {
      compileRegex(config.regex);
    } catch (error) {
      problems.push(
        `${path}[${i}].regex: expected a regular expression, found "${config.regex}": ${describeError(error)}`,
      );
    }
    return problems;
  });
}

/**
 * Compiles Prometheus' relabelling rules.
 * @returns a function that changes labels and returns them; undefined: dropped
 */
export function createRelabelling(configs: readonly RelabelConfig[]): (labels: Labels) => Labels | undefined {
  const rules = configs.map(createRule);
  return (labels) => (rules.every((rule) => rule(labels)) ? labels : undefined);
}

/** RE2 has another syntax for named groups and leading flags; all other syntax of RE2 means the same here. */
function compileRegex(text: string): RegExp {
  const [, flags = '', rest = text] = /^\(\?([ims]+)\)(.*)$/su.exec(text) ?? [];
  const source = rest.replaceAll('(?P<', '(?<');
  return new RegExp(`^(?:${source})$`, [...new Set(`us${flags}`)].join(''));
}

function createRule(config: RelabelConfig): Rule {
  const { separator, source_labels: sources, action } = config;
  const regex = compileRegex(config.regex);
  const target = config.target_label ?? '';
  const read = (labels: Labels) => sources.map((label) => labels.get(label) ?? '').join(separator);
  switch (action) {
    case 'keep':
      return (labels) => regex.test(read(labels));
    case 'drop':
      return (labels) => !regex.test(read(labels));
    case 'keepequal':
      return (labels) => read(labels) === (labels.get(target) ?? '');
    case 'dropequal':
      return (labels) => read(labels) !== (labels.get(target) ?? '');
    case 'replace':
      return createReplacement(config, regex, read);
    case 'hashmod':
      return (labels) => setLabel(labels, target, hash(read(labels), config.modulus));
    case 'lowercase':
      return (labels) => setLabel(labels, target, read(labels).toLowerCase());
    case 'uppercase':
      return (labels) => setLabel(labels, target, read(labels).toUpperCase());
    case 'labeldrop':
      return (labels) => removeLabels(labels, (label) => regex.test(label));
    case 'labelkeep':
      return (labels) => removeLabels(labels, (label) => !regex.test(label));
    case 'labelmap':
      return (labels) => mapLabels(labels, regex, config.replacement);
  }
}

function createReplacement(
  { target_label: target, replacement }: RelabelConfig,
  regex: RegExp,
  read: (labels: Labels) => string,
): Rule {
  return (labels) => {
    const match = regex.exec(read(labels));
    if (match === null) return true;
    const label = expand(target ?? '', match);
    return label === '' || setLabel(labels, label, expand(replacement, match));
  };
}

function mapLabels(labels: Labels, regex: RegExp, replacement: string): boolean {
  // Added labels are not mapped again.
  for (const [label, value] of new Map(labels)) {
    const match = regex.exec(label);
    if (match !== null) setLabel(labels, expand(replacement, match), value);
  }
  return true;
}

function removeLabels(labels: Labels, isRemoved: (label: string) => boolean): boolean {
  for (const label of labels.keys()) if (isRemoved(label)) labels.delete(label);
  return true;
}

/** An empty value removes a label. */
function setLabel(labels: Labels, label: string, value: string): boolean {
  if (value === '') labels.delete(label);
  else labels.set(label, value);
  return true;
}

/**
 * Expands a template like Go's `regexp.Expand`: `$1`, `${1}`, `$name`, `${name}`; `$$` is a dollar sign, and a
 * missing group is empty.
 */
function expand(template: string, match: RegExpExecArray): string {
  return template.replaceAll(
    /\$(?:(\$)|\{(\w+)\}|(\w+))/gu,
    (_, dollar?: string, braced?: string, plain?: string) => {
      if (dollar !== undefined) return '$';
      const group = braced ?? plain ?? '';
      return (/^\d+$/u.test(group) ? match[Number(group)] : match.groups?.[group]) ?? '';
    },
  );
}

/** The last 8 bytes of the MD5, as in Prometheus. */
function hash(text: string, modulus: number): string {
  const digest = createHash('md5').update(text).digest();
  return String(digest.readBigUInt64BE(8) % BigInt(modulus));
}
