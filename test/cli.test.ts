import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { program, runAgent, startAgent, writeConfig } from './agent.js';

const minimal = `
receivers: {host: {collection_interval: 100ms}}
exporters: {debug: }
service:
  pipelines: {metrics: {receivers: [host], exporters: [debug]}}
  telemetry: {metrics: {level: none}}
`;

test('the command line lists its commands when it is asked for help', async () => {
  const { code, stdout } = await runAgent(['--help']);
  assert.equal(code, 0);
  for (const name of 'run exec validate components print-config doctor simulate calibrate test-component'.split(
    ' ',
  )) {
    assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
    assert.match((await runAgent([name, '--help'])).stdout, new RegExp(`^Usage: joulemetry \\[?${name}`));
  }
  assert.match((await runAgent(['--version'])).stdout, /^joulemetry \d+\.\d+\.\d+\n$/);
});

test('the command line exits with 2 and one clear message when a command or option is unknown', async () => {
  const unknown = await runAgent(['rnu']);
  assert.deepEqual(
    [unknown.code, unknown.stderr],
    [2, 'Cannot run "rnu": expected a command, found none of this name; did you mean "run"?\n'],
  );
  const file = await runAgent(['agent.yaml']);
  assert.match(file.stderr, /found none of this name; --config agent\.yaml names a configuration\n$/);
  const argument = await runAgent(['validate', 'agent.yaml']);
  assert.equal(
    argument.stderr,
    'Cannot parse the command line: expected only options, found "agent.yaml"; --config agent.yaml names a configuration\n',
  );
  const option = await runAgent(['run', '--confg', 'x']);
  assert.equal(option.code, 2);
  assert.match(option.stderr, /^Cannot parse the command line: Unknown option '--confg'.*\n$/);
  const dash = await runAgent(['exec', '--baseline', '-1s', '--', 'true']);
  assert.equal(
    dash.stderr,
    'Cannot parse the command line: --baseline: expected a value, found an option; --baseline=-VALUE if it is none\n',
  );
  assert.equal((await runAgent(['components', '--all'])).code, 2);
});

test('validate exits with 2 and lists every mistake with its place when a configuration is wrong', async () => {
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

/** A configuration of these receivers, in pipelines to these exporters. */
function writeReceivers(receivers: Readonly<Record<string, string>>, exporters: readonly string[]): string {
  const ids = Object.keys(receivers);
  const pipelines = ids.map(
    (id, i) => `metrics/${i}: {receivers: [${id}], exporters: [${exporters[i] ?? exporters[0]}]}`,
  );
  const settings = Object.entries(receivers).map(([id, text]) => `${id}: {${text}}`);
  return writeConfig(`
receivers: {${settings.join(', ')}}
exporters: {${[...new Set(exporters)].map((id) => `${id}: `).join(', ')}}
service: {pipelines: {${pipelines.join(', ')}}, telemetry: {metrics: {level: none}}}
`);
}

const warningOf = (receiver: string, owner: string, metric: string) =>
  `Leaving out series of receiver "${receiver}" that receiver "${owner}" publishes, such as ${metric}: each series has one publisher;`;

test('validate warns about receivers that would publish the same series', async () => {
  for (const [receivers, metric] of [
    [{ host: '', 'host/slow': 'collection_interval: 10s' }, 'system.cpu.time'],
    [{ host: '', 'host/cpus': 'cpu: {per_cpu: true}' }, 'system.context_switches'],
    [{ perf: '', 'perf/p': 'processes: {pids: [1]}' }, 'perf.event.count'],
    [{ perf: 'events: [task-clock]', 'perf/p': 'events: [faults, task-clock]' }, 'perf.event.time'],
    [{ process: '', 'process/io': 'metrics: {cpu: false, io: true}' }, 'system.process.count'],
    [{ rapl: '', 'rapl/fast': 'domains: {package: false, dram: false}' }, 'rapl.energy'],
  ] as const) {
    const [owner = '', receiver = ''] = Object.keys(receivers);
    const { code, stderr } = await runAgent(['validate', '-c', writeReceivers(receivers, ['debug'])]);
    assert.equal(code, 0);
    assert.ok(stderr.startsWith(warningOf(receiver, owner, metric)), stderr);
    assert.equal(stderr.trimEnd().split('\n').length, 1);
  }
});

test('validate does not warn about receivers that measure different things, or of which one runs', async () => {
  const network =
    'groups: {cpu: false, memory: false, disk: false, load: false, pressure: false, frequency: false}';
  for (const receivers of [
    { host: 'groups: {memory: false}', 'host/memory': network.replace('memory', 'network') },
    { host: '', 'host/wlan': `${network}, network: {include: "^wl"}` },
    { perf: '', 'perf/p': 'machine: false, processes: {pids: [1]}' },
    { perf: '', 'perf/each': 'per_cpu: true' },
    {
      rapl: 'domains: {dram: false}',
      'rapl/dram': 'domains: {package: false, core: false, uncore: false, psys: false}',
    },
    { host: '', 'host/instead': 'fallback_for: [host]' },
  ]) {
    const { code, stderr } = await runAgent(['validate', '-c', writeReceivers(receivers, ['debug'])]);
    assert.deepEqual([code, stderr], [0, '']);
  }
  const apart = writeReceivers({ host: '', 'host/2': '' }, ['debug', 'debug/2']);
  assert.deepEqual((await runAgent(['validate', '-c', apart])).stderr, '');
});

test('doctor lists receivers that would publish the same series', async () => {
  const path = writeReceivers({ host: '', 'host/slow': '' }, ['debug']);
  const { stdout } = await runAgent(['doctor', '--json', '-c', path]);
  const { system } = JSON.parse(stdout) as { system: { name: string; state: string; found: string }[] };
  const notes = system.filter(({ name }) => name === 'publishers');
  assert.deepEqual(
    notes.map(({ state }) => state),
    ['note'],
  );
  assert.ok(notes[0]?.found.startsWith(warningOf('host/slow', 'host', 'system.cpu.time')), notes[0]?.found);
});

test('run exits with 2 and no stack trace when a file is missing', async () => {
  const { code, stderr } = await runAgent(['run', '-c', '/nowhere/x.yaml']);
  assert.equal(code, 2);
  assert.match(stderr, /^Cannot read the configuration "\/nowhere\/x\.yaml": ENOENT[^\n]*\n$/);
});

test('the command line reports an error when its working directory was removed', () => {
  const script = 'cd "$(mktemp -d)"; rmdir "$PWD"; exec "$0" "$1" validate';
  const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath, program], { encoding: 'utf8' });
  assert.equal(
    stderr,
    'Cannot run joulemetry: expected a working directory that exists, found one that was removed\n',
  );
  assert.equal(status, 1);
});

test('validate applies --set to the embedded default configuration', async () => {
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

test('run ends with 1 and one message when the endpoint set by the user is in use', async () => {
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

test('run flushes and ends with 0 when it gets SIGTERM or SIGINT', async () => {
  const path = writeConfig(minimal);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const agent = startAgent(['run', '-c', path]);
    await agent.waitFor(/Everything is ready/);
    const { code, stderr } = await agent.stop(signal);
    assert.equal(code, 0);
    assert.match(stderr, new RegExp(`received ${signal}`));
  }
});
