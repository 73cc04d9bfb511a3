import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { repositoryRoot } from './component-folders.js';
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
/** Read by those who change the code only. */
const internal = /\.(?:test|fixture)\.ts$/u;

function listFiles(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:ts|md|ya?ml)$/u.test(path) && !internal.test(path) && !path.includes('testdata'))
    .map((path) => join(folder, path));
}

test('what people read is in plain words', () => {
  const findings = [...folders.flatMap(listFiles), 'README.md', 'CONTRIBUTING.md', 'SECURITY.md'].flatMap(
    (path) =>
      findWordings(path, readFileSync(join(root, path), 'utf8')).map(
        ({ line, found, instead }) => `${path}:${line}: expected ${instead}, found "${found}"`,
      ),
  );
  assert.deepEqual(findings, []);
});

test('findWordings looks at comments and texts of TypeScript, over line ends', () => {
  const source =
    "/**\n * It begins\n * anew.\n */\nconst anew = `${nobody}` + 'now and then';\n// runs as user nobody\n";
  assert.deepEqual(
    findWordings('a.ts', source).map(({ line, found }) => `${line} ${found}`),
    ['3 anew', '5 nobody', '5 now and then'],
  );
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
