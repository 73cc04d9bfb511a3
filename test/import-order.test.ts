import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/**
 * The folders of `src/` in the order of their dependencies: each imports only from folders earlier in the list,
 * so that there is no cycle. Tests and fixtures belong to their folder.
 */
const order = [
  // Used by the whole program.
  'errors.ts',
  'version.ts',
  'element.ts',
  'logged-causes.ts',
  'nearest.ts',
  'parse-options.ts',
  'young-generation.ts',
  'testing',
  'protobuf.ts',
  'zstd.ts',
  'model',
  'linux',
  'linux/cgroup',
  'linux/perf',
  'linux/bpf',
  'energy',
  'windows',
  'identity',
  'usage',
  'component',
  'config',
  'scraping',
  'gpu',
  'sampling',
  'http',
  'work-thread.ts',
  'rating',
  'export',
  'otlp',
  'recording',
  'sql',
  'prometheus',
  'telemetry',
  'pipeline',
  'simulation',
  'contract',
  'exec',
  'cli',
  'plugin.ts',
];

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = join(root, 'src');

/** The entry of `order` that a file of `src/` belongs to. */
function findPlace(path: string): string {
  const [folder = '', library = '', ...rest] = path.replace(/\.(?:test|fixture)\.ts$/u, '.ts').split('/');
  const isLibrary = folder === 'linux' && rest.length > 0;
  return isLibrary ? `${folder}/${library}` : folder;
}

interface Import {
  /** Location of the import: `src/model/table.ts:3`. */
  readonly at: string;
  readonly from: string;
  readonly to: string;
}

function listImports(path: string): readonly Import[] {
  const lines = readFileSync(join(source, path), 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const specifier = /(?:\bfrom |^import |\bimport\()'(\.[^']*)'/.exec(line)?.[1];
    const target = specifier === undefined ? '..' : normalize(join(dirname(path), specifier));
    if (target.startsWith('..')) return [];
    const to = findPlace(target.replace(/\.js$/, '.ts'));
    return [{ at: `src/${path}:${index + 1}`, from: findPlace(path), to }];
  });
}

test('The folders of src/ import in one direction', () => {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  assert.ok(files.length > 400);
  const places = new Set(files.map(findPlace));
  assert.deepEqual(
    [...places].filter((place) => !order.includes(place)),
    [],
    'Each folder needs a place in the order above',
  );
  const wrong = files
    .flatMap(listImports)
    .filter(({ from, to }) => from !== to && order.indexOf(to) >= order.indexOf(from))
    .map(({ at, from, to }) => `${at}: ${from} may not import ${to}, which comes after it`);
  assert.deepEqual(wrong, []);
});
