import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { startAgent, writeConfig } from './agent.js';

/** Names that a process can give itself and that an output could misinterpret. */
const names: readonly (string | Buffer)[] = [
  'line\nbreak',
  'quote"back\\slash',
  ':-) 1 2 3 4 5 6',
  ') R 1 (',
  'executable-(nam',
  'a,b=c{}#',
  '=1+1',
  '\t=1',
  "@SUM(A1),'x'",
  'red\x01\x1b[31m\x9b1m',
  '\x1b]0;title\x07',
  'exe\u202egpj',
  '\u{1f525} hot',
  'tab\there\r',
  'a: b # c',
  '<b>&amp;',
  Buffer.from('\xff\xfe', 'latin1'),
  Buffer.from('Ausf\xfchren', 'latin1'),
  // Cut within a character, as the kernel truncates names after 15 bytes.
  Buffer.from('inner-job-\xe5\x90\x8c\xe6\xad', 'latin1'),
];

const shell = realpathSync('/bin/sh');
const isMultiCall = /busybox|toybox/.test(basename(shell));

/**
 * Copies a shell to a file of that name and executes it. `$(…)` would drop a trailing newline, so the output of
 * `printf` ends in another character.
 */
const launch = `name=$(printf "%b_" "$1"); name=\${name%_}; cp "$2" "$3/$name" && exec "$3/$name" -c "$4"`;
/** Uses some milliseconds of CPU time per second. */
const work = 'while :; do i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done; sleep 0.3; done';

function octal(name: string | Buffer): string {
  return [...Buffer.from(name)].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('');
}

/** Processes with the names above. @returns the expected name in text, by pid */
function startNamed(t: TestContext): ReadonlyMap<number, string> {
  const folder = createFolder();
  return new Map(
    names.map((name) => {
      const child = spawn('sh', ['-c', launch, 'sh', octal(name), shell, folder, work], { stdio: 'ignore' });
      t.after(() => child.kill('SIGKILL'));
      return [child.pid ?? assert.fail(), Buffer.from(name).toString('utf8')];
    }),
  );
}

async function startOutputs(t: TestContext) {
  const folder = createFolder();
  const [json, csv] = ['tables.json', 'tables.csv'].map((name) => join(folder, name));
  const config = writeConfig(`
receivers:
  estimate: {collection_interval: 200ms}
  process: {collection_interval: 200ms, command_line: true}
processors: {attribution: {process_limit: 0}}
exporters:
  prometheus: {endpoint: '127.0.0.1:0'}
  file/json: {path: ${json}, format: json}
  file/csv: {path: ${csv}, format: csv}
  console: {when: always, interval: 200ms, top: 1000}
  debug: {verbosity: detailed}
service:
  pipelines:
    metrics:
      receivers: [estimate, process]
      processors: [attribution]
      exporters: [prometheus, file/json, file/csv, console, debug]
`);
  // The summary can be read while the agent runs.
  const summary = join(folder, 'summary.txt');
  const agent = startAgent(['run', '-c', config], {}, [
    'sh',
    '-c',
    'out=$1; shift; exec "$@" > "$out"',
    'sh',
    summary,
  ]);
  t.after(() => agent.stop('SIGKILL'));
  const url = await agent.waitFor(/Serving metrics at (\S+)/);
  return { agent, url, json, csv, summary };
}

async function fetchPage(url: string, accept: string): Promise<string> {
  return (await fetch(url, { headers: { accept } })).text();
}

const classic = 'text/plain;version=0.0.4';
const openMetrics = 'application/openmetrics-text;version=1.0.0';
const label = String.raw`([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"`;
const number = String.raw`(?:[-+]?[\d.]+(?:e[-+]?\d+)?|NaN|[-+]Inf)`;
const sample = new RegExp(`^[a-zA-Z_:][\\w:]*(?:\\{(${label}(?:,${label})*)\\})? ${number}(?: [\\d.]+)?$`);

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}

/** The names on a page by pid, from every line that has both. */
function parsePage(page: string): ReadonlyMap<number, Set<string>> {
  const found = new Map<number, Set<string>>();
  for (const line of page.split('\n').filter((text) => text !== '' && !text.startsWith('#'))) {
    const [, labels = ''] = sample.exec(line) ?? assert.fail(`no sample: ${JSON.stringify(line)}`);
    const pairs = [...labels.matchAll(new RegExp(label, 'g'))].map(([, key, text]) => [key, unescape(text)]);
    const own = new Map(pairs.map(([key, text]) => [key, text] as const));
    const name = own.get('process_executable_name');
    if (name !== undefined) addName(found, Number(own.get('process_pid')), name);
  }
  return found;
}

function addName(found: Map<number, Set<string>>, pid: number, name: string): void {
  found.set(pid, (found.get(pid) ?? new Set()).add(name));
}

/** The names by pid in a file of JSON lines: resource attributes as in OTLP. */
function parseJson(text: string): ReadonlyMap<number, Set<string>> {
  const found = new Map<number, Set<string>>();
  for (const line of text.trimEnd().split('\n')) visitObjects(JSON.parse(line), found);
  return found;
}

function visitObjects(node: unknown, found: Map<number, Set<string>>): void {
  if (typeof node !== 'object' || node === null) return;
  const { 'process.pid': pid, 'process.executable.name': name } = readAttributes(node);
  if (pid !== undefined && typeof name === 'string') addName(found, Number(pid), name);
  for (const child of Object.values(node)) visitObjects(child, found);
}

/** Reads attributes as an object, or in the form of OTLP. */
function readAttributes(node: object): Record<string, unknown> {
  if (!Array.isArray(node)) return { ...node };
  return Object.fromEntries(
    node.map((entry) => [entry?.key, entry?.value?.intValue ?? entry?.value?.stringValue]),
  );
}

/** Parses records of RFC 4180. */
function parseCsv(text: string): readonly (readonly string[])[] {
  const records: string[][] = [[]];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n\r]*))(,|\r?\n|$)/g)) {
    records.at(-1)?.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end !== ',') records.push([]);
  }
  return records.filter((record) => record.length > 1);
}

/** Characters that break lines, control a terminal or change the text direction. */
const unsafe = /[^\P{C}\n]|[\u2028\u2029]/u;

function findUnsafe(text: string): string | undefined {
  const line = text.split('\n').find((one) => unsafe.test(one));
  return line === undefined ? undefined : JSON.stringify(line);
}

const promtool = spawnSync('promtool', ['--version']).error === undefined;

function checkMetrics(page: string): void {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: page,
    encoding: 'utf8',
  });
  assert.equal(`${stdout}${stderr}`, '');
  assert.equal(status, 0);
}

test(
  'no name of a process breaks an output or injects anything into it',
  { skip: isMultiCall && `${shell} needs its own name` },
  async (t) => {
    const expected = startNamed(t);
    const { agent, url, json, csv, summary } = await startOutputs(t);
    const hasAll = (found: ReadonlyMap<number, Set<string>>): boolean =>
      [...expected].every(([pid, name]) => found.get(pid)?.has(name) === true);
    let page = '';
    await until(async () => hasAll(parsePage((page = await fetchPage(url, classic)))));
    if (promtool) checkMetrics(page);
    assert.ok(hasAll(parsePage(await fetchPage(url, openMetrics))));
    await until(() => readFileSync(summary, 'utf8').includes('a,b=c{}#'));
    const { code, stderr } = await agent.stop();
    assert.equal(code, 0, stderr);

    assert.ok(hasAll(parseJson(readFileSync(json, 'utf8'))));
    const [head = [], ...records] = parseCsv(readFileSync(csv, 'utf8'));
    assert.deepEqual(
      records.filter(({ length }) => length !== head.length),
      [],
    );
    const column = head.indexOf('process.executable.name');
    const inCsv = new Set(records.map((record) => record[column]));
    // A record is one line, and a leading apostrophe prevents that a text is read as a formula.
    for (const name of [...expected.values()].map((text) => text.replaceAll(/[\r\n]+/g, ' '))) {
      assert.ok(inCsv.has(name) || inCsv.has(`'${name}`), JSON.stringify(name));
    }
    assert.deepEqual(
      records.flat().filter((cell) => /^\s*[=@+-]/u.test(cell) && Number.isNaN(Number(cell))),
      [],
    );

    assert.equal(findUnsafe(readFileSync(summary, 'utf8')), undefined);
    assert.equal(findUnsafe(stderr), undefined);
  },
);
