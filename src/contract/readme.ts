import assert from 'node:assert/strict';
import type { ComponentKind } from '../component/kinds.js';
import type { Schema } from '../component/schema.js';
import { parseComponentId } from '../config/components.js';
import { findEntry, type ConfigNode } from '../config/node.js';
import type { Problem } from '../config/problem.js';
import { parseConfigText } from '../config/read-yaml.js';
import { isGroupSetting, isListSetting, isSetting } from '../config/settings.js';
import type { Metric } from '../model/series.js';

/** A row in a README's settings table. */
export interface SettingRow {
  readonly path: string;
  readonly standard: string;
  readonly doc: string;
}

/** The leaves of a schema, with dotted paths; `a[].b` below a list. */
export function listSettings(schema: Schema, prefix = ''): readonly SettingRow[] {
  return Object.entries(schema).flatMap(([key, part]): readonly SettingRow[] => {
    const path = `${prefix}${key}`;
    if (!isSetting(part)) return listSettings(part, `${path}.`);
    if (isGroupSetting(part)) return listSettings(part.settings, `${path}.`);
    const row = { path, standard: describeDefault(part.default), doc: part.doc };
    return [row].concat(isListSetting(part) ? listSettings(part.items, `${path}[].`) : []);
  });
}

function describeDefault(value: unknown): string {
  if (value === null) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A README's table of settings. */
export function renderSettingsTable(schema: Schema): string {
  const rows = listSettings(schema).map(({ path, standard, doc }) => {
    const shown = standard === '-' || standard === '' ? '-' : `\`${escapeCell(standard)}\``;
    return `| \`${path}\` | ${shown} | ${escapeCell(doc)} |`;
  });
  return ['| Setting | Default | Description |', '| --- | --- | --- |', ...rows].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}

/** The headings of a README's sections, in order. */
export function listHeadings(readme: string): readonly string[] {
  return [...readme.matchAll(/^## (.+)$/gmu)].map(([, heading = '']) => heading);
}

/** The text of a README's section, without its heading; undefined if there is none. */
export function findSection(readme: string, heading: string): string | undefined {
  const parts = readme.split(/^## /mu);
  const part = parts.find((text) => text.startsWith(`${heading}\n`));
  return part?.slice(heading.length + 1);
}

/** The cells of a Markdown table, without its header. */
export function parseTable(section: string): readonly (readonly string[])[] {
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split(/(?<!\\)\|/u)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The README with the first table of a section replaced. */
export function replaceTable(readme: string, heading: string, table: string): string {
  const section = findSection(readme, heading);
  if (section === undefined) return `${readme.trimEnd()}\n\n## ${heading}\n\n${table}\n`;
  const replaced = /^\|/mu.test(section)
    ? section.replace(/(^\|[^\n]*(\n|$))+/mu, () => `${table}\n`)
    : `\n${table}\n${section}`;
  return readme.replace(`## ${heading}\n${section}`, () => `## ${heading}\n${replaced}`);
}

/** The required content of a README's metrics table. */
export function describeMetricRow({ name, unit, kind }: Metric): string {
  return `\`${name}\` | \`${unit}\` | ${kind}`;
}

/** An example of a component's settings in its README. */
export interface Example {
  /** The key in the configuration, `file/frames`. */
  readonly id: string;
  readonly node: ConfigNode;
  /** Why it cannot be run everywhere, as stated in the README: ```yaml needs="a certificate"`. */
  readonly needs: string | undefined;
}

const fence = /^```yaml(?: needs="(?<needs>[^"]+)")?\n(?<text>.*?)^```/gmsu;

/**
 * Every example of a component in its README: the settings below its ids in every YAML block.
 * @param problems receives errors in the YAML
 * @throws AssertionError if there is none
 */
export function findExamples(
  readme: string,
  { kind, type }: { readonly kind: ComponentKind; readonly type: string },
  problems: Problem[],
): readonly Example[] {
  const examples = [...readme.matchAll(fence)].flatMap(({ groups = {} }) => {
    const { needs, text = '' } = groups;
    const root = parseConfigText(text, 'README.md', { env: process.env, onUnset: () => {} }, problems);
    const section = findEntry(root, `${kind}s`)?.node;
    const entries = section?.kind === 'map' ? [...section.entries] : [];
    return entries
      .filter(([id]) => parseComponentId(id).type === type)
      .map(([id, { node }]) => ({ id, node, needs }));
  });
  assert.ok(examples.length > 0, `the README has no example in YAML with ${kind}s: ${type}`);
  return examples;
}
