import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Schema } from '../src/component/schema.js';
import { describeMetricRow } from '../src/contract/readme.js';
import type { Metric } from '../src/model/series.js';
import { repositoryRoot, type ComponentFolder } from './component-folders.js';
import { describeAttributes } from './metric-attributes.js';

/** A page of docs/ or a README, by its path in the repository. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

/** Every Markdown file of this repository, without installed packages. */
export function readPages(): readonly Page[] {
  const root = fileURLToPath(repositoryRoot);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !/(?:^|\/)(?:node_modules|dist|\.[^/]+)\//u.test(path))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(new URL(path, repositoryRoot), 'utf8') }));
}

const include = /^<!-- include (?<path>\S+) -->\n+(?<fence>```\w*\n)(?:.*?\n)?```$/gmsu;

/** The page with every code block after `<!-- include PATH -->` replaced by the file, relative to the repository. */
export function fillIncludes(text: string): string {
  return text.replaceAll(include, (...match) => {
    // The last argument of a replacer is the named groups, if the pattern has any.
    const { path = '', fence = '' } = match.at(-1) as Record<string, string>;
    const source = readFileSync(new URL(path, repositoryRoot), 'utf8');
    return `<!-- include ${path} -->\n\n${fence}${source}\`\`\``;
  });
}

/** Targets of a page's links that do not exist. */
export function listBrokenLinks({ path, text }: Page): readonly string[] {
  const prose = text.replaceAll(/^```.*?^```$/gmsu, '').replaceAll(/`[^`\n]*`/gu, '');
  const targets = [...prose.matchAll(/\]\((?<target>[^)\s]+)\)/gu)].map(
    ({ groups }) => groups?.['target'] ?? '',
  );
  return targets
    .filter((target) => !/^(?:https?:|mailto:|#)/u.test(target))
    .filter((target) => !existsSync(new URL(target.replace(/#.*$/u, ''), new URL(path, repositoryRoot))));
}

/** The rows of docs/metrics.md: every metric once, with its attributes and the components that publish it. */
export function renderMetricsTable(folders: readonly ComponentFolder[]): string {
  const metrics = new Map<string, { readonly metric: Metric; readonly by: ComponentFolder[] }>();
  for (const folder of folders) {
    for (const metric of listMetrics(folder)) {
      const known = metrics.get(metric.name) ?? { metric, by: [] };
      if (!known.by.includes(folder)) known.by.push(folder);
      metrics.set(metric.name, known);
    }
  }
  const rows = [...metrics.values()]
    .toSorted((a, b) => (a.metric.name < b.metric.name ? -1 : 1))
    .map(({ metric, by }) => {
      const links = by.map(({ kind, type }) => `[${type}](../${kind}s/${type})`).join(', ');
      const attributes = describeAttributes(
        metric.name,
        by.map(({ readme }) => readme),
      );
      return `| ${describeMetricRow(metric)} | ${attributes} | ${metric.description} | ${links} |`;
    });
  return [
    '| Metric | Unit | Kind | Attributes | Description | Published by |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function listMetrics({ factory }: ComponentFolder): readonly Metric[] {
  return 'metrics' in factory ? (factory.metrics ?? []) : [];
}

/** The compiled packages of docs/examples. */
export async function loadExamples(): Promise<
  readonly { readonly readmeUrl: URL; readonly factory: { readonly schema: Schema } }[]
> {
  const folder = new URL('docs/examples/', repositoryRoot);
  return Promise.all(
    readdirSync(folder).map(async (name) => {
      const module = new URL(`../docs/examples/${name}/factory.js`, import.meta.url);
      // Each example exports its factory, as every component does.
      const { factory } = (await import(module.href)) as { readonly factory: { readonly schema: Schema } };
      return { readmeUrl: new URL(`${name}/README.md`, folder), factory };
    }),
  );
}
