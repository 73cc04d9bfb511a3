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
/** Read by those who change the code only. */
const internal = /\.(?:test|fixture)\.ts$/u;

function listFiles(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:ts|md|ya?ml)$/u.test(path) && !internal.test(path) && !path.includes('testdata'))
    .map((path) => join(folder, path));
}

test('what people read is in plain words', () => {
  const findings = [...folders.flatMap(listFiles), ...topFiles].flatMap((path) =>
    findWordings(path, readFileSync(join(root, path), 'utf8')).map(
      ({ line, found, instead }) => `${path}:${line}: expected ${instead}, found "${found}"`,
    ),
  );
  assert.deepEqual(findings, []);
});

test('messages say what could not be done, what was expected and what was found', () => {
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

test('findMisworded accepts a cause that is an errno, another error or follows later, and what is no error', () => {
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

test('findWordings looks at comments and texts of TypeScript, over line ends', () => {
  const source =
    "/**\n * It begins\n * anew.\n */\nconst anew = `${nobody}` + 'now and then';\n// runs as user nobody\n";
  assert.deepEqual(
    findWordings('a.ts', source).map(({ line, found }) => `${line} ${found}`),
    ['3 anew', '5 nobody', '5 now and then'],
  );
});

test('findWordings looks at comments of JavaScript, not at its names', () => {
  const [found, ...others] = findWordings('a.mjs', 'const anew = 1; // begins anew\n');
  assert.deepEqual([found?.found, others], ['anew', []]);
});

test('findWordings finds messages that do not say what was expected, then what was found', () => {
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

test('findWordings finds the marks of a conflict in a comment', () => {
  const source = '/**\n<<<<<<< HEAD\n * Seconds.\n=======\n * Joules.\n>>>>>>> 1a2b3c4 (Say it)\n */\n';
  assert.deepEqual(
    findWordings('a.ts', source).map(({ line, found }) => `${line} ${found}`),
    ['2 <<<<<<< HEAD', '6 >>>>>>> 1a2b3c4'],
  );
});

test('findWordings looks at the prose of Markdown, not at code', () => {
  const page = 'A `nobody`.\n\n```sh\nsu nobody\n```\n\nIt says\nso. It tells them apart. It tells all.\n';
  assert.deepEqual(
    findWordings('a.md', page).map(({ line, found }) => `${line} ${found}`),
    ['8 tells', '7 says so'],
  );
});
