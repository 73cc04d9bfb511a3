import { findSection, parseTable } from '../src/contract/readme.js';

/**
 * The attributes of a metric in docs/metrics.md, from the metrics tables of the READMEs that publish it. If these differ, all names,
 * without values.
 * @returns an empty text if it has none
 */
export function describeAttributes(metric: string, readmes: readonly string[]): string {
  const cells = [...new Set(readmes.flatMap((readme) => listAttributes(readme).get(metric) ?? []))];
  const [first = ''] = cells;
  if (cells.length < 2) return first;
  const own = cells.filter((cell) => !cell.startsWith('as '));
  const names = [...new Set(own.flatMap(findNames))];
  return own.length === 0 ? first : names.map((name) => `\`${name}\``).join(', ');
}

/** The attributes of every metric of a README; references to other rows of its table are resolved. */
function listAttributes(readme: string): ReadonlyMap<string, string> {
  const resolved = new Map<string, string>();
  let previous = '';
  for (const [name = '', , , cell = ''] of parseTable(findSection(readme, 'Metrics') ?? '')) {
    previous = resolve(cell === '-' ? '' : cell, previous, resolved);
    resolved.set(name.replaceAll('`', ''), previous);
  }
  return resolved;
}

const reference = /^(?:the same|as `(?<metric>[^`]+)`(?! and))(?<rest>.*)$/su;

function resolve(cell: string, previous: string, known: ReadonlyMap<string, string>): string {
  const { metric, rest = '' } = reference.exec(cell)?.groups ?? {};
  if (!reference.test(cell)) return cell;
  const target = metric === undefined ? previous : known.get(metric);
  return target === undefined ? cell : `${target}${rest}`;
}

/** Names of attributes have dots; values and settings are not in backticks, or follow "with". */
function findNames(cell: string): readonly string[] {
  return [...cell.matchAll(/(?<!\b(?:as|and|with) )`(?<name>[a-z0-9_]+(?:\.[a-z0-9_]+)+)`/gu)].map(
    ({ groups }) => groups?.['name'] ?? '',
  );
}
