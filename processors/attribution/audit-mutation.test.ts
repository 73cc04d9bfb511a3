import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SheetReader } from '../../src/cli/audit/sheet-reader.js';
import { linesOf, play, playHistory, playInstances } from './audit.fixture.js';

/** Keys and indices that lead to a value within a line. */
type Path = readonly (string | number)[];
type Tree = Record<string | number, unknown>;

/** How many values of each field are changed, one at a time. */
const samples = 30;
/** Computed in doubles, or only a term of the error: the rounding of these hides smaller changes. */
const rough = [
  /_w$/u,
  /^(?:carry_nj|error|costs|counts|domains_nj)/u,
  /^(?:lag|delay|edge|tick|step|refresh)_ns$/u,
];

/** The value of a field after a change; undefined: it cannot be changed so that the sheet remains valid. */
function change(field: string, value: unknown): unknown {
  if (typeof value === 'boolean') return !value;
  if (value === null) return 1;
  if (typeof value === 'string') return change.texts[field]?.find((text) => text !== value);
  if (typeof value !== 'number') return undefined;
  if (!rough.some((pattern) => pattern.test(field))) return value + 1;
  return 1.25 * value + (field.endsWith('_ns') ? 1e8 : 1);
}
change.texts = {
  weight: ['cpu_time', 'gpu_time'],
  rest: ['unseen', 'no_usage'],
  reason: ['unseen', 'gap'],
} as Readonly<Record<string, readonly string[]>>;

/** Every value of a window, and its field: the same for all elements of a list, but not for those of an entry. */
function* listValues(sheet: Tree): Generator<readonly [field: string, path: Path]> {
  for (const [name, value] of Object.entries(sheet)) {
    if (!Array.isArray(value)) yield [name, [name]];
    else for (const [i, one] of value.entries()) yield* listElement(name, i, one);
  }
}

function* listElement(
  name: string,
  i: number,
  one: unknown,
): Generator<readonly [field: string, path: Path]> {
  if (!Array.isArray(one)) yield [`${name}[${name.startsWith('knots') ? i : ''}]`, [name, i]];
  else for (const k of one.keys()) yield [`${name}[][${Math.min(k, 4)}]`, [name, i, k]];
}

function changeAt(line: string, field: string, path: Path): string | undefined {
  const sheet = JSON.parse(line) as Tree;
  const [last = ''] = path.slice(-1);
  const parent = path.slice(0, -1).reduce((tree: Tree, key) => tree[key] as Tree, sheet);
  const changed = change(field, parent[last]);
  if (changed === undefined) return undefined;
  parent[last] = changed;
  return JSON.stringify(sheet);
}

/** What an audit reports of some lines; undefined: it confirms them. */
function audit(lines: readonly string[]): string | undefined {
  const reader = new SheetReader();
  try {
    for (const line of lines) reader.read(line);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

interface Field {
  changed: number;
  unnoticed: number;
}

/** Changes one value at a time, and audits the file up to the next window of the domain. */
function mutate(lines: readonly string[], fields: Map<string, Field>): void {
  const windows = [...lines.entries()].filter(([, line]) => line.startsWith('{"window"'));
  for (const [at, line] of windows) {
    const own = `{"window":${String((JSON.parse(line) as Tree)['window'])},`;
    const next = lines.findIndex((one, i) => i > at && one.startsWith(own));
    // The last window of a domain has no successor that continues it.
    if (next < 0 || lines.slice(at, next).some((one) => /^\{"(?:audit|missing)"/u.test(one))) continue;
    for (const [field, path] of listValues(JSON.parse(line) as Tree)) {
      const known = fields.get(field) ?? { changed: 0, unnoticed: 0 };
      fields.set(field, known);
      if (known.changed >= samples || (at * 31 + path.length * 7) % 5 > 1) continue;
      const changed = changeAt(line, field, path);
      if (changed === undefined) continue;
      known.changed += 1;
      const found = audit(lines.with(at, changed).slice(0, next + 1));
      if (found === undefined) known.unnoticed += 1;
      else assert.match(found, / in the window of |expected /u);
    }
  }
}

test('An audit notices a change of each field of a window', async (t) => {
  const fields = new Map<string, Field>();
  // Lifetimes have an effect only with `equal`.
  for (const [i, idle] of ['equal', 'separate', 'proportional'].entries()) {
    mutate(linesOf(await play({ seed: 1 + i, settings: { idle }, scans: 12, hasHost: i === 1 })), fields);
  }
  const costs = [{ hw_type: 'cpu', counters: ['cycles'], max_error: 100 }];
  mutate(await playHistory(9, 25, { weights: costs }), fields);
  mutate(await playHistory(4, 25, { weights: [{ hw_type: 'cpu', model: 'frequency_cpu_time' }] }), fields);
  mutate(await playInstances(9), fields);
  for (const [field, { changed, unnoticed }] of fields) t.diagnostic(`${field}: ${unnoticed} of ${changed}`);
  const never = [...fields].flatMap(([field, { changed, unnoticed }]) =>
    changed > 0 && unnoticed === changed ? [field] : [],
  );
  // At the beginning of a curve, its second knot has no effect.
  assert.deepEqual(never, ['knots_from[2]', 'knots_from[3]']);
});
