import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent } from './agent.js';
import { repositoryRoot } from './component-folders.js';

const repository = fileURLToPath(repositoryRoot);
/** A name that must be quoted wherever it is used. */
const folder = join(createFolder(), 'a user’s folder');
const modules = join(folder, 'node_modules');
const installed = join(modules, 'joulemetry');

function run(command: string, args: readonly string[], cwd: string) {
  const { status, signal, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { status, signal, stdout, stderr };
}

/** A copy of the repository, because `npm pack` changes it. */
const copy = createFolder();

/** @returns the archive that `npm pack` makes */
function pack(): string {
  const names = ['bin', 'config', 'dist', 'package.json', 'package-lock.json'];
  const scripts = ['build.mjs', 'bundle.mjs', 'run-command.mjs'];
  for (const name of [...names, ...scripts]) {
    cpSync(join(repository, name), join(copy, name), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'));
  const packed = run('npm', ['pack'], copy);
  assert.equal(packed.status, 0, packed.stderr);
  // After the output of its scripts.
  return join(copy, packed.stdout.trim().split('\n').at(-1) ?? '');
}

/** Installs a package with its dependencies, as npm would. */
function install(archive: string): void {
  mkdirSync(modules, { recursive: true });
  const extracted = run('tar', ['-xzf', archive, '-C', modules], folder);
  assert.equal(extracted.status, 0, extracted.stderr);
  renameSync(join(modules, 'package'), installed);
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const name of Object.keys(manifest.dependencies)) link(name, join(repository, 'node_modules', name));
  link('@types/node', join(repository, 'node_modules/@types/node'));
  link('.bin/joulemetry', join(installed, 'bin/joulemetry'));
}

function link(name: string, target: string): void {
  const path = join(modules, name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

function installComponent(name: string, code: string): void {
  const target = join(modules, name);
  mkdirSync(target);
  writeFileSync(join(target, 'index.js'), code);
  writeFileSync(
    join(target, 'package.json'),
    JSON.stringify({ name, version: '1.0.0', type: 'module', exports: { default: './index.js' } }),
  );
}

install(pack());

/** Runs the command that npm puts into the path. */
function joulemetry(...args: readonly string[]) {
  return run(join(modules, '.bin/joulemetry'), args, folder);
}

/** Runs the installed program in place of the compiled one. */
const fromPackage = ['sh', '-c', 'cd "$0" && shift 2 && exec node_modules/.bin/joulemetry "$@"', folder];

test('the package has a few large files, every component, and neither tests nor source maps', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
  const unwanted = files.filter((file) => /\.(test|fixture)\.|\.map$|^dist\/(bench|test|docs)/u.test(file));
  assert.deepEqual(unwanted, []);
  const { stdout, status, stderr } = joulemetry('components');
  assert.equal(status, 0, stderr);
  assert.equal(stdout, run(process.execPath, ['dist/src/cli/main.js', 'components'], repository).stdout);
  // Dependencies are bundled: the modules that a file was made of are not in the package.
  assert.ok(existsSync(join(installed, 'dist/receivers/rapl/factory.js')));
  assert.ok(!existsSync(join(installed, 'dist/receivers/rapl/domain.js')));
});

test('the package has the licenses of the packages that are bundled into it', () => {
  const chunks = readdirSync(join(installed, 'dist/chunks'));
  const code = chunks.map((name) => readFileSync(join(installed, 'dist/chunks', name), 'utf8')).join('\n');
  const found = code.matchAll(/^\/\/ (?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/gmu);
  const names = [...new Set([...found].map(([, name = '']) => name))];
  const licenses = readFileSync(join(installed, 'dist/THIRD_PARTY_LICENSES.txt'), 'utf8');
  assert.ok(names.includes('yaml') && names.includes('@opentelemetry/sdk-metrics'));
  assert.deepEqual(
    names.filter((name) => !licenses.includes(`${name} ${readPackageVersion(name)} (`)),
    [],
  );
  assert.match(licenses, /Permission to use, copy, modify/u);
});

function readPackageVersion(name: string): string {
  const path = join(repository, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
}

test('the package has each module at the URL by which another one loads it', () => {
  const compiled = fileURLToPath(new URL('dist/', repositoryRoot));
  const sources = ['src', 'receivers', 'processors', 'exporters', 'extensions'].flatMap((top) =>
    readdirSync(join(compiled, top), { recursive: true, encoding: 'utf8' }).map((file) => join(top, file)),
  );
  const wanted = sources
    .filter((file) => file.endsWith('.js') && !/\.(test|fixture)\./u.test(file))
    .flatMap((file) => {
      const code = readFileSync(join(compiled, file), 'utf8');
      const paths = [...code.matchAll(/new URL\('(\.[^']+\.js)', import\.meta\.url\)/gu)];
      return paths.map(([, path = '']) => join(dirname(file), path));
    });
  assert.ok(wanted.includes('receivers/rapl/sampler.js'));
  assert.deepEqual(
    wanted.filter((file) => !existsSync(join(installed, 'dist', file))),
    [],
  );
});

test('the package starts with the default configuration that users can copy', () => {
  const print = ['print-config', '--format', 'json'];
  const { status, stdout, stderr } = joulemetry(...print);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, joulemetry(...print, '-c', join(installed, 'config/default.yaml')).stdout);
  assert.ok(existsSync(join(installed, 'dist/default-config.json')));
});

test('the package has the JSON schema that its configurations refer to', () => {
  const config = join(installed, 'config');
  const references = readdirSync(config)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(join(config, name), 'utf8').split('\n', 1)[0]);
  assert.ok(references.length > 1);
  for (const reference of references) {
    const [, path = ''] = /^# yaml-language-server: \$schema=(\S+)$/u.exec(reference ?? '') ?? [];
    const { title } = JSON.parse(readFileSync(join(config, path), 'utf8')) as { readonly title: unknown };
    assert.equal(title, 'Joulemetry configuration');
  }
});

test('the package cannot be bundled twice without a build in between', () => {
  const { status, stderr } = run(process.execPath, ['bundle.mjs'], copy);
  assert.deepEqual(
    [status, stderr],
    [1, 'Cannot bundle dist: expected what build.mjs compiled, found no dist/.built; run node build.mjs\n'],
  );
  assert.ok(existsSync(join(copy, 'dist/src/cli/main.js')));
});

test('the package measures a command', () => {
  const { status, stderr } = joulemetry('exec', '--json', 'report.json', '-q', '--', 'sh', '-c', 'exit 3');
  assert.deepEqual([status, stderr], [3, '']);
  const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as {
    readonly command: unknown;
  };
  assert.deepEqual(report.command, ['sh', '-c', 'exit 3']);
});

test('the package runs its threads, and third-party components get its classes', async () => {
  installComponent(
    'joulemetry-receiver-absent',
    `import { UnavailableError } from 'joulemetry/plugin';
     export const factory = {
       schema: {},
       metrics: [],
       probe: () => ({ available: true, found: 'a meter', remedies: [] }),
       create: () => ({
         start() { throw new UnavailableError('expected a meter, found none'); },
         shutdown() {},
       }),
     };`,
  );
  writeFileSync(
    join(folder, 'record.yaml'),
    `receivers: {simulator: {seed: 1, sampling_interval: 1ms}, absent: {start: auto}}
processors: {attribution: {}}
exporters: {file: {path: recorded.parquet, format: parquet}}
service: {pipelines: {metrics: {receivers: [simulator, absent], processors: [attribution], exporters: [file]}}}
`,
  );
  const agent = startAgent(['-c', 'record.yaml'], {}, fromPackage);
  await agent.waitFor(/Everything is ready/u);
  await until(() => statSync(join(folder, 'recorded.parquet')).size > 0);
  const recorded = await agent.stop();
  assert.equal(recorded.code, 0, recorded.stderr);
  assert.match(recorded.stderr, /Left out: expected a meter, found none/u);
  writeFileSync(
    join(folder, 'replay.yaml'),
    `receivers: {replay: {files: [recorded.parquet]}}
exporters: {file: {path: replayed.csv, format: csv}}
service: {pipelines: {metrics: {receivers: [replay], exporters: [file]}}}
`,
  );
  const replayed = joulemetry('-c', 'replay.yaml');
  assert.equal(replayed.status, 0, replayed.stderr);
  const rows = readFileSync(join(folder, 'replayed.csv'), 'utf8').trim().split('\n');
  assert.ok(rows.length > 1, `${rows.length} rows`);
});

test('the package has the types of joulemetry/plugin and of its other exports', () => {
  writeFileSync(
    join(folder, 'consumer.mts'),
    `import { createRow, type ProcessorFactory, type Table } from 'joulemetry/plugin';
import { countPoints } from 'joulemetry/model/table';
export const factory: ProcessorFactory<Record<string, never>> = {
  schema: {},
  create: () => ({ start() {}, shutdown() {}, consume: (table: Table) => countPoints(table) >= 0 }),
};
// @ts-expect-error -- a text is no series
createRow('series', 0n, new Float64Array());
`,
  );
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  const options = '--noEmit --strict --module nodenext --target es2023 --lib es2023 --types node'.split(' ');
  const { status, stdout } = run(process.execPath, [compiler, ...options, 'consumer.mts'], folder);
  assert.equal(status, 0, stdout);
});

test('every file that the package exports can be imported', () => {
  const { exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, unknown>>;
  };
  const names = Object.keys(exports).flatMap((key) => {
    const name = key.replace(/^\./u, 'joulemetry');
    if (!name.endsWith('*')) return name.endsWith('.json') ? [] : [name];
    const own = name.slice('joulemetry/'.length, -1);
    return (
      readdirSync(join(installed, 'dist/src', own), { recursive: true, encoding: 'utf8' })
        // Outside a sampling thread, the entry points of sampling threads only throw.
        .filter((file) => file.endsWith('.d.ts') && file !== 'thread-main.d.ts')
        .map((file) => `joulemetry/${own}${file.slice(0, -'.d.ts'.length)}`)
    );
  });
  const code = `for (const name of ${JSON.stringify(names)}) await import(name);`;
  writeFileSync(join(folder, 'all.mjs'), code);
  const { status, stderr } = run(process.execPath, ['all.mjs'], folder);
  assert.deepEqual([status, stderr], [0, '']);
  assert.ok(names.length > 50);
});
