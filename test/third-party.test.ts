import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { runAgent, startAgent } from './agent.js';
import { repositoryRoot } from './component-folders.js';

const compiled = fileURLToPath(new URL('../docs/examples/', import.meta.url));
const sources = fileURLToPath(new URL('docs/examples/', repositoryRoot));

/** A folder with `joulemetry` and the package of an example installed, as npm would install them. */
function install(example: string, name = `joulemetry-${example}`): string {
  const folder = createFolder();
  const modules = join(folder, 'node_modules');
  const target = join(modules, name);
  mkdirSync(modules, { recursive: true });
  symlinkSync(fileURLToPath(repositoryRoot), join(modules, 'joulemetry'));
  cpSync(join(compiled, example), target, { recursive: true });
  cpSync(join(sources, example, 'README.md'), join(target, 'README.md'));
  writeFileSync(join(target, 'package.json'), JSON.stringify({ ...readManifest(), name }));
  return folder;
}

/** The package.json in docs/writing-a-component.md. */
function readManifest(): object {
  const page = readFileSync(new URL('docs/writing-a-component.md', repositoryRoot), 'utf8');
  const [, json = ''] = /^```json\n(.*?)^```/msu.exec(page) ?? [];
  return JSON.parse(json) as object;
}

test('an agent runs a third-party component that imports only joulemetry/plugin', async (t) => {
  const folder = install('processor-scale');
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    `
receivers: {simulator: {seed: 1}}
processors: {scale: {factor: 1000}}
exporters: {file: {path: ${folder}/plain.csv, format: csv}, file/scaled: {path: ${folder}/scaled.csv, format: csv}}
service:
  pipelines:
    metrics: {receivers: [simulator], exporters: [file]}
    metrics/scaled: {receivers: [simulator], processors: [scale], exporters: [file/scaled]}
`,
  );
  const agent = startAgent(['run', '-c', config]);
  t.after(() => agent.stop('SIGKILL'));
  await agent.waitFor(/Everything is ready/);
  const { code, stderr } = await agent.stop();
  assert.equal(code, 0, stderr);
  const [plain, scaled] = ['plain', 'scaled'].map((name) => readColumns(join(folder, `${name}.csv`)));
  assert.ok(plain.energy.some((joules) => joules > 0));
  assert.deepEqual(
    scaled.energy,
    plain.energy.map((joules) => joules * 1000),
  );
  assert.deepEqual(scaled.others, plain.others);
  const lines = readSource('processor-scale/factory.ts');
  assert.ok(lines.length <= 40, `${lines.length} lines`);
});

test('a third-party receiver samples 1,000 times a second with 70 lines of code', async (t) => {
  const folder = install('receiver-sensor');
  const [config, counter, csv] = ['config.yaml', 'energy', 'samples.csv'].map((name) => join(folder, name));
  writeFileSync(counter, '1000000\n');
  writeFileSync(
    config,
    `
receivers: {sensor: {path: ${counter}, flush_interval: 10ms}}
exporters: {file: {path: ${csv}, format: csv}}
service: {pipelines: {metrics: {receivers: [sensor], exporters: [file]}}}
`,
  );
  const agent = startAgent(['run', '-c', config]);
  t.after(() => agent.stop('SIGKILL'));
  await agent.waitFor(/Everything is ready/);
  writeFileSync(counter, '3500000\n');
  const rows = () => readFileSync(csv, 'utf8').trim().split('\n').slice(1);
  await until(() => rows().filter((row) => row.endsWith(',2.5')).length >= 100);
  const { code, stderr } = await agent.stop();
  assert.equal(code, 0, stderr);
  const [first = ''] = rows();
  assert.ok(first.endsWith(',0'), first);
  const instants = rows().map((row) => row.split(',', 1)[0]);
  assert.equal(new Set(instants).size, instants.length);
  const lines = ['factory', 'sampler'].flatMap((name) => readSource(`receiver-sensor/${name}.ts`));
  assert.ok(lines.length <= 70, `${lines.length} lines`);
});

test('a third-party receiver reads three gauges of procfs with 50 lines of code', async (t) => {
  const folder = install('receiver-page-cache');
  const [config, meminfo, csv] = ['config.yaml', 'meminfo', 'gauges.csv'].map((name) => join(folder, name));
  writeFileSync(meminfo, 'Dirty: 3 kB\nWriteback: 0 kB\nMapped: 70000 kB\n');
  writeFileSync(
    config,
    `
receivers: {page_cache: {procfs: ${folder}, collection_interval: 10ms}}
exporters: {file: {path: ${csv}, format: csv}}
service: {pipelines: {metrics: {receivers: [page_cache], exporters: [file]}}}
`,
  );
  const agent = startAgent(['run', '-c', config]);
  t.after(() => agent.stop('SIGKILL'));
  await agent.waitFor(/Everything is ready/);
  const hasRow = (end: string) =>
    readFileSync(csv, 'utf8')
      .split('\n')
      .some((row) => row.endsWith(end));
  await until(() => hasRow(',3072,0,71680000'));
  writeFileSync(meminfo, 'Dirty: 5 kB\nWriteback: 1 kB\nMapped: 70000 kB\n');
  await until(() => hasRow(',5120,1024,71680000'));
  const { code, stderr } = await agent.stop();
  assert.equal(code, 0, stderr);
  const lines = readSource('receiver-page-cache/factory.ts');
  assert.ok(lines.length <= 50, `${lines.length} lines`);
});

for (const example of readdirSync(sources)) {
  test(`joulemetry test-component passes the package of docs/examples/${example}`, async () => {
    const folder = join(install(example), 'node_modules', `joulemetry-${example}`);
    const { code, stdout, stderr } = await runAgent(['test-component', folder]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^ok {4}has a README with the fixed outline$/mu);
    assert.match(stdout, /^ok {4}shuts down without start, and twice, with the example/mu);
    assert.match(stdout, /^\d+ tests, 0 failed$/mu);
  });
}

test('joulemetry test-component exits with 1 and lists the defects of a package', async () => {
  const folder = join(install('processor-scale'), 'node_modules', 'joulemetry-processor-scale');
  writeFileSync(join(folder, 'README.md'), '# scale processor\n');
  rmSync(join(folder, 'factory.test.js'));
  const { code, stdout } = await runAgent(['test-component', folder]);
  assert.equal(code, 1);
  assert.match(stdout, /^FAIL {2}has a README with the fixed outline\n {6}the first section/mu);
  assert.match(stdout, /^FAIL {2}has a test of its own\n {6}expected a test file, found none$/mu);
  assert.match(stdout, /^\d+ tests, 4 failed$/mu);
  const other = await runAgent(['test-component', createFolder()]);
  assert.deepEqual([other.code, other.stdout], [1, '']);
  assert.match(other.stderr, /^Cannot read \S+package\.json: ENOENT/u);
});

/** The lines of an example's file. */
function readSource(path: string): readonly string[] {
  return readFileSync(new URL(`docs/examples/${path}`, repositoryRoot), 'utf8')
    .trimEnd()
    .split('\n');
}

/** The energy of hardware, and every other cell, in the order of the file. */
function readColumns(path: string): {
  readonly energy: readonly number[];
  readonly others: readonly string[];
} {
  const [head = '', ...rows] = readFileSync(path, 'utf8').trim().split('\n');
  const names = head.split(',');
  // Counted from the end: cells before it may contain commas.
  const column = names.indexOf('hw.energy (J)') - names.length;
  assert.ok(names.includes('hw.energy (J)'), head);
  const cells = rows.map((row) => row.split(','));
  return {
    energy: cells.map((row) => Number(row.at(column))),
    others: cells.map((row) => row.toSpliced(column, 1).join(',')),
  };
}
