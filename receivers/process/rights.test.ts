import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nameUniquely } from '../../src/linux/bpf/ended-tasks.fixture.js';
import { skip as cannotTrace } from '../../src/linux/bpf/real-kernel.fixture.js';

// An ordinary user, on the real kernel: root gives up everything but some capabilities.

const ordinaryUser = 65534;
const ids = ['--reuid', String(ordinaryUser), '--regid', String(ordinaryUser), '--clear-groups'];

/** Ambient capabilities, as setpriv(1) has them: `+bpf,+perfmon`. */
const holding = (added: string): readonly string[] =>
  added === ''
    ? ['setpriv', ...ids, '--inh-caps=-all']
    : ['setpriv', ...ids, '--inh-caps', added, '--ambient-caps', added];

const script = `
  const load = (path) => import(new URL(path, ${JSON.stringify(import.meta.url)}));
  const { createFakeContext, createLogCollector, createTableCollector } = await load('../../src/component/fakes.js');
  const { parseSettings } = await load('../../src/config/settings.js');
  const { factory } = await load('./factory.js');
  const [log, next] = [createLogCollector(), createTableCollector()];
  const config = parseSettings(factory.schema, { collection_interval: '1h' });
  const receiver = factory.create(config, createFakeContext({ log }), next);
  await receiver.start();
  await receiver.flush();
  console.log('ready');
  for await (const _ of process.stdin);
  const points = (name) => next.last('process.cpu.time')
    .filter(({ series: { resource: { attributes } } }) => attributes['process.executable.name'] === name);
  const scan = async () => { await receiver.flush(); return points(process.argv[1]).length; };
  // The kernel reports an end only after a grace period.
  for (let tries = 0; await scan() === 0 && tries < 20; tries++) await new Promise((done) => setTimeout(done, 50));
  const seconds = points(process.argv[1]).reduce((sum, { value }) => sum + value, 0);
  const others = next.last('process.cpu.time')
    .filter(({ series: { resource: { attributes } } }) => attributes['process.owner'] === 'root').length;
  await receiver.shutdown();
  console.log(JSON.stringify({ lines: log.lines, seconds, others }));
`;

interface Seen {
  readonly lines: readonly string[];
  /** CPU time of the short processes. */
  readonly seconds: number;
  /** Number of counters of processes of root. */
  readonly others: number;
}

/** Runs a receiver by a command, and 50 short processes of root between its scans. */
async function watchShortProcesses(command: readonly string[]): Promise<Seen> {
  const program = nameUniquely('/bin/true');
  chmodSync(dirname(program), 0o755);
  const [name, ...args] = [...command, process.execPath, '--input-type=module', '-e', script];
  const child = spawn(name, [...args, basename(program)], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  spawnSync('sh', ['-c', `i=0; while [ $i -lt 50 ]; do ${program}; i=$((i+1)); done`]);
  child.stdin.end();
  // Output of the script.
  return JSON.parse(await text(child.stdout)) as Seen;
}

const canRead = spawnSync('setpriv', [...ids, process.execPath, '--check', fileURLToPath(import.meta.url)]);
const skip = cannotTrace || (canRead.status !== 0 && 'needs setpriv, and a build that every user may read');

test('ProcessReceiver sees every process with CAP_BPF and CAP_PERFMON alone', { skip }, async () => {
  const { lines, seconds, others } = await watchShortProcesses(holding('+bpf,+perfmon'));
  assert.deepEqual(lines, []);
  assert.ok(seconds > 0 && others > 0, `${seconds} s, ${others} counters of root`);
});

for (const [added, missing] of [
  ['', 'CAP_BPF and CAP_PERFMON'],
  ['+bpf', 'CAP_PERFMON'],
  ['+perfmon', 'CAP_BPF'],
] as const) {
  test(`ProcessReceiver warns of missing ${missing}, with a command that works`, { skip }, async () => {
    const { lines, seconds, others } = await watchShortProcesses(holding(added));
    const [line = '', ...rest] = lines;
    const pattern = new RegExp(
      `^warn: Cannot see processes that start and end between two scans: Cannot .*: EPERM, needs ${missing}; sudo (.*) -- joulemetry$`,
      'u',
    );
    const [, command = ''] = pattern.exec(line) ?? [];
    assert.deepEqual([rest, command.startsWith('setpriv ')], [[], true], line);
    assert.ok(seconds === 0 && others > 0, `${seconds} s, ${others} counters of root`);
    const asOrdinaryUser = command
      .replace('"$(id -u)"', String(ordinaryUser))
      .replace('"$(id -g)"', String(ordinaryUser));
    const remedied = await watchShortProcesses(asOrdinaryUser.split(' '));
    assert.deepEqual(remedied.lines, []);
    assert.ok(remedied.seconds > 0);
  });
}
