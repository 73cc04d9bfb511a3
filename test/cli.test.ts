import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { program, runAgent, startAgent, writeConfig } from './agent.js';

const minimal = `
receivers: {host: {collection_interval: 100ms}}
exporters: {debug: }
service:
  pipelines: {metrics: {receivers: [host], exporters: [debug]}}
  telemetry: {metrics: {level: none}}
`;

test('the command line says what there is, when it is asked for help', async () => {
  const { code, stdout } = await runAgent(['--help']);
  assert.equal(code, 0);
  for (const name of ['run', 'exec', 'validate', 'components', 'print-config', 'doctor', 'simulate']) {
    assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
    assert.match((await runAgent([name, '--help'])).stdout, new RegExp(`^Usage: joulemetry \\[?${name}`));
  }
  assert.match((await runAgent(['--version'])).stdout, /^joulemetry \d+\.\d+\.\d+\n$/);
});

test('the command line exits with 2 and one clear message, when a command or option is unknown', async () => {
  const unknown = await runAgent(['rnu']);
  assert.deepEqual(
    [unknown.code, unknown.stderr],
    [2, 'Cannot run "rnu": unknown command, did you mean "run"?\n'],
  );
  const option = await runAgent(['run', '--confg', 'x']);
  assert.equal(option.code, 2);
  assert.match(option.stderr, /^Cannot understand the command line: Unknown option '--confg'.*\n$/);
  assert.equal((await runAgent(['components', '--all'])).code, 2);
});

test('validate exits with 2 and every mistake with its place, when a configuration is wrong', async () => {
  const path = writeConfig(minimal.replace('collection_interval: 100ms', 'collection_intervall: 1s, cpu: 3'));
  const { code, stderr } = await runAgent(['validate', '-c', path]);
  assert.equal(code, 2);
  const lines = stderr.trimEnd().split('\n');
  assert.equal(
    lines[0],
    `${path}:2:20: receivers.host.collection_intervall: unknown setting, did you mean "collection_interval"?`,
  );
  assert.match(lines[1] ?? '', /:2:\d+: receivers\.host\.cpu: expected /);
  assert.equal(lines.length, 2);
});

test('run exits with 2 and no stack trace, when a file is missing', async () => {
  const { code, stderr } = await runAgent(['run', '-c', '/nowhere/x.yaml']);
  assert.equal(code, 2);
  assert.match(stderr, /^Cannot read the configuration "\/nowhere\/x\.yaml": ENOENT[^\n]*\n$/);
});

test('the command line says so, when its working directory was removed', () => {
  const script = 'cd "$(mktemp -d)"; rmdir "$PWD"; exec "$0" "$1" validate';
  const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath, program], { encoding: 'utf8' });
  assert.equal(
    stderr,
    'Cannot run joulemetry: found a working directory that was removed, wanted one that is there\n',
  );
  assert.equal(status, 1);
});

test('validate takes the embedded default configuration and --set over it', async () => {
  assert.deepEqual((await runAgent(['validate'])).code, 0);
  const { code, stderr } = await runAgent(['validate', '--set', 'receivers.process.collection_interval=5']);
  assert.equal(code, 2);
  assert.match(stderr, /^--set receivers\.process\.collection_interval: .*expected a duration/);
});

test('print-config shows the merged configuration without its secrets', async () => {
  const path = writeConfig(`${minimal}\n`);
  const secret = [
    '--set',
    'exporters.otlp_http={endpoint: "http://localhost:1", headers: {Authorization: secret}}',
  ];
  const { code, stdout } = await runAgent(['print-config', '-c', path, ...secret], {});
  assert.equal(code, 0);
  assert.match(stdout, /Authorization: "\[REDACTED\]"/);
  assert.doesNotMatch(stdout, /secret/);
  const { stdout: open } = await runAgent([
    'print-config',
    '-c',
    path,
    ...secret,
    '--mode',
    'unredacted',
    '--format',
    'json',
  ]);
  assert.equal(JSON.parse(open).exporters.otlp_http.headers.Authorization, 'secret');
});

test('run ends with 1 and one message, when the endpoint that the user set is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  const path = writeConfig(
    minimal
      .replace('debug: }', `debug: , prometheus: {endpoint: "localhost:${address.port}"}}`)
      .replace('[debug]', '[debug, prometheus]'),
  );
  const { code, stderr } = await runAgent(['run', '-c', path]);
  server.close();
  assert.equal(code, 1);
  assert.match(
    stderr,
    /Cannot start exporter "prometheus": Cannot listen on localhost:\d+ \(exporters\.prometheus\.endpoint\): EADDRINUSE/,
  );
  assert.doesNotMatch(stderr, /\n {4}at /);
});

test('run flushes and ends with 0, when it gets SIGTERM or SIGINT', async () => {
  const path = writeConfig(minimal);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const agent = startAgent(['run', '-c', path]);
    await agent.waitFor(/Everything is ready/);
    const { code, stderr } = await agent.stop(signal);
    assert.equal(code, 0);
    assert.match(stderr, new RegExp(`Ending after ${signal}`));
  }
});
