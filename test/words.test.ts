import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { repositoryRoot } from './component-folders.js';
import { findMisworded } from './messages.js';
import { findWordings } from './words.js';

const root = fileURLToPath(repositoryRoot);
const folders = [
  'src',
  'receivers',
  'processors',
  'exporters',
  'extensions',
  'config',
  'docs',
  'otel-examples',
  'bench',
];
const topFiles = readdirSync(root).filter((path) => /\.(?:md|mjs)$/u.test(path));
/** Files that only developers read. */
const internal = /\.(?:test|fixture)\.ts$/u;

function listFiles(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:ts|md|ya?ml)$/u.test(path) && !internal.test(path) && !path.includes('testdata'))
    .map((path) => join(folder, path));
}

test('texts for users are in plain words', () => {
  const findings = [...folders.flatMap(listFiles), ...topFiles].flatMap((path) =>
    findWordings(path, readFileSync(join(root, path), 'utf8')).map(
      ({ line, found, instead }) => `${path}:${line}: expected ${instead}, found "${found}"`,
    ),
  );
  assert.deepEqual(findings, []);
});

test('messages name the operation, the expected and the found value', () => {
  const paths = folders.slice(0, 5).flatMap(listFiles);
  const findings = paths
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) =>
      findMisworded(readFileSync(join(root, path), 'utf8')).map(
        ({ line, text, expected }) => `${path}:${line}: expected ${expected}, found "${text}"`,
      ),
    );
  assert.deepEqual(findings, []);
});

test('findMisworded finds messages without a cause, and with half of one', () => {
  const source = [
    "throw new Error('Cannot read it');",
    'throw new UsageError(`Cannot read ${path}: it is empty`);',
    'throw new Error(`Cannot read ${path}: expected a number`);',
    "throw new Error('it is empty');",
    "log.warn('Cannot read it: ' +\n  'it is empty');",
    'const problem = `Cannot read ${path}: found nothing`;',
    "throw new Error('expected a number');",
  ];
  assert.deepEqual(
    findMisworded(source.join('\n')).map(({ line }) => line),
    [1, 2, 3, 4, 5, 7, 8],
  );
});

test('findMisworded accepts a cause that is an errno, another error or follows later, and texts that are no errors', () => {
  const source = [
    'throw new Error(`Cannot read ${path}: expected a number, found "${text}"`);',
    'throw new Error(`Cannot use --repeat "${text}": expected a whole number`);',
    'throw new Error(`Cannot read ${names.map((name) => `"${name}"`).join()}: ${describeError(error)}`);',
    "throw new Error('Cannot open it: EMFILE, the last descriptors are for others');",
    'throw new Error(`${path}: ${problem}`);',
    "throw new Error('expected a number, found none');",
    'const start = `Cannot run "${name}"`;',
    "log.warn('Lost 3 points');",
    "// throw new Error('it is empty')",
  ];
  assert.deepEqual(findMisworded(source.join('\n')), []);
});

test('findWordings searches comments and texts of TypeScript across line ends', () => {
  const source =
    "/**\n * It begins\n * anew.\n */\nconst anew = `${nobody}` + 'now and then';\n// runs as user nobody\n";
  assert.deepEqual(
    findWordings('a.ts', source).map(({ line, found }) => `${line} ${found}`),
    ['3 anew', '5 nobody', '5 now and then'],
  );
});

test('findWordings searches comments of JavaScript, not its names', () => {
  const [found, ...others] = findWordings('a.mjs', 'const anew = 1; // begins anew\n');
  assert.deepEqual([found?.found, others], ['anew', []]);
});

test('findWordings finds messages that do not name first the expected, then the found value', () => {
  const source = [
    '`it is ${text}, wanted a file`;',
    "'a period of 0, ' +\n  'wanted more';",
    "'Cannot use it: wanted ' + name;",
    "'at most 1 wanted';",
    "const { wanted }: Wanted = { wanted: 'a file' };",
    '`expected ${wanted}, found ${text}`;',
  ];
  assert.deepEqual(
    findWordings('a.ts', source.join('\n')).map(({ line }) => line),
    [1, 2, 4, 5],
  );
});

test('findWordings finds conflict markers in a comment', () => {
  const source = '/**\n<<<<<<< HEAD\n * Seconds.\n=======\n * Joules.\n>>>>>>> 1a2b3c4 (Say it)\n */\n';
  assert.deepEqual(
    findWordings('a.ts', source).map(({ line, found }) => `${line} ${found}`),
    ['2 <<<<<<< HEAD', '6 >>>>>>> 1a2b3c4'],
  );
});

test('findWordings searches the prose of Markdown, not its code', () => {
  const page = 'A `nobody`.\n\n```sh\nsu nobody\n```\n\nIt says\nso. It tells them apart. It tells all.\n';
  assert.deepEqual(
    findWordings('a.md', page).map(({ line, found }) => `${line} ${found}`),
    ['8 tells', '7 says so'],
  );
});
