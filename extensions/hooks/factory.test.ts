import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { fcntl } from '../../src/linux/libc.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';

/** F_DUPFD: include/uapi/asm-generic/fcntl.h. */
const duplicateFrom = 0;

function create(settings: object) {
  const log = createLogCollector();
  const config = parseSettings(factory.schema, settings);
  const extension = factory.create(config, createFakeContext({ log }) as never); // The extension uses no more of its context.
  return { extension, log };
}

/** A descriptor above those that Node closes, which a child process would inherit. */
function openInherited(t: TestContext): number {
  const file = openSync('/proc/self/status', 'r');
  t.after(() => closeSync(file));
  const fd = fcntl(file, duplicateFrom, 'int', 100);
  t.after(() => closeSync(fd));
  return fd;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie that its new parent has not reaped yet no longer runs.
    return !/^State:\tZ/mu.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

test('Hooks runs commands in order at start and at shutdown, and logs what they print', async () => {
  const { extension, log } = create({
    start: [
      { command: ['printf', '%s\\n', '$HOME; a b', 'second line'] },
      { shell: 'echo "$0 $((1 + 1))" >&2' },
    ],
    shutdown: [{ command: ['printenv', 'JOULEMETRY_HOOK', 'KEY'], environment: { KEY: 'value' } }],
  });
  await extension.start();
  assert.deepEqual(log.lines, [
    'debug: Running command "printf" at start',
    'info: command "printf": $HOME; a b',
    'info: command "printf": second line',
    'debug: Running shell command start[1]',
    'info: shell command start[1]: /bin/sh 2',
  ]);
  await extension.shutdown(5000);
  await extension.shutdown(5000);
  assert.deepEqual(log.lines.slice(5), [
    'debug: Running command "printenv" at shutdown',
    'info: command "printenv": shutdown',
    'info: command "printenv": value',
  ]);
});

const failures = [
  [{ command: ['sh', '-c', 'exit 3'] }, 'command "sh" at start: it ended with exit code 3'],
  [{ command: ['sh', '-c', 'kill -9 $$'] }, 'command "sh" at start: it ended by SIGKILL'],
  [
    { command: ['joulemetry-no-such-program'] },
    'command "joulemetry-no-such-program" at start: expected a program that can be run, found ENOENT for "joulemetry-no-such-program"',
  ],
  [
    { command: ['true'], working_directory: '/nowhere' },
    'command "true" at start: expected an existing working directory, found no /nowhere',
  ],
] as const;

for (const [hook, message] of failures) {
  test(`Hooks continues with an error, and refuses to start when it is required: ${message}`, async () => {
    const optional = create({ start: [hook, { command: ['echo', 'next'] }] });
    await optional.extension.start();
    assert.ok(optional.log.lines.includes(`error: Cannot run ${message}; continuing without it`));
    assert.equal(optional.log.lines.at(-1), 'info: command "echo": next');
    const required = create({ start: [{ ...hook, required: true }, { command: ['echo', 'next'] }] });
    await assert.rejects(async () => required.extension.start(), { message: `Cannot run ${message}` });
    assert.ok(!required.log.lines.includes('info: command "echo": next'));
  });
}

test('Hooks kills a command with its process group, when its time limit is exceeded', async () => {
  const folder = createFolder();
  const shell = `trap '' TERM; sleep 1000 & echo $! > ${folder}/child; echo $$ > ${folder}/own; wait; sleep 1000`;
  const { extension, log } = create({ start: [{ shell, timeout: '300ms' }] });
  await extension.start();
  assert.equal(
    log.lines.at(-1),
    'error: Cannot run shell command start[0]: expected it to end within 300 ms, found it running; killed with its process group; continuing without it',
  );
  const pids = ['child', 'own'].map((name) => Number(readFileSync(join(folder, name), 'latin1')));
  assert.ok(pids.every((pid) => pid > 1));
  await until(() => !pids.some(isRunning));
  // The kernel no longer knows the leader: it was reaped.
  assert.throws(() => process.kill(pids[1] ?? 0, 0), { code: 'ESRCH' });
});

test('Hooks gives a command only the standard streams, whatever this process inherited', async (t) => {
  assert.ok(openInherited(t) >= 100);
  const { extension, log } = create({ start: [{ command: ['ls', '/proc/self/fd'] }] });
  await extension.start();
  const listed = log.lines.slice(1).map((line) => line.replace('info: command "ls": ', ''));
  // `ls` opens the folder with the lowest free number.
  assert.deepEqual(listed, ['0', '1', '2', '3']);
});

test('Hooks does not wait for a program that a command has left in the background', async () => {
  const { extension, log } = create({ start: [{ shell: 'sleep 1000 & echo $!', timeout: '100s' }] });
  await extension.start();
  const pid = Number(/\d+$/u.exec(log.lines.at(-1) ?? '')?.[0]);
  assert.ok(isRunning(pid));
  process.kill(pid, 'SIGKILL');
});

test('Hooks bounds what it logs of the output of a command', async () => {
  const { extension, log } = create({ start: [{ shell: 'seq 100000; printf %020000d 0' }] });
  await extension.start();
  assert.equal(log.lines.length, 1 + 101);
  assert.equal(log.lines.at(-1), 'info: shell command start[0]: ... (more than 100 lines)');
  const long = create({ start: [{ shell: 'printf %020000d 0' }] });
  await long.extension.start();
  assert.equal(long.log.lines.at(-1), `info: shell command start[0]: ${'0'.repeat(1000)}...`);
});

test('Hooks limits the time of a shutdown hook to what is left of the shutdown', async () => {
  const { extension, log } = create({ shutdown: [{ command: ['sleep', '1000'] }] });
  await extension.start();
  await extension.shutdown(100);
  assert.match(
    log.lines.at(-1) ?? '',
    /^error: .* within (?:200|199) ms, found it running; killed with its process group$/u,
  );
});

test('Hooks ends a start hook when the shutdown begins, and runs no further ones', async () => {
  const path = writeModule('export default () => new Promise(() => {});');
  for (const hook of [{ command: ['sleep', '1000'] }, { module: path }]) {
    const next = join(createFolder(), 'next');
    const { extension, log } = create({
      start: [{ ...hook, timeout: '1000s' }, { command: ['touch', next] }],
      shutdown: [{ command: ['echo', 'undone'] }],
    });
    const started = extension.start();
    await extension.shutdown(5000);
    await started;
    assert.match(
      log.lines.join('\n'),
      /error: .* at start: expected it to end before the collector, found it/u,
    );
    assert.equal(log.lines.at(-1), 'info: command "echo": undone');
    assert.ok(!existsSync(next));
  }
});

test('Hooks runs nothing at shutdown, when it was not started', async () => {
  const path = join(createFolder(), 'ran');
  const { extension } = create({ shutdown: [{ command: ['touch', path] }] });
  await extension.shutdown();
  assert.ok(!existsSync(path));
});

function writeModule(text: string): string {
  const path = join(createFolder(), 'hook.mjs');
  writeFileSync(path, text);
  return path;
}

test('Hooks calls the default export of a module and waits for it', async () => {
  const path = writeModule(`export default async ({ event, log, signal }) => {
    await new Promise(setImmediate);
    log.info(event + ' ' + signal.aborted);
  };`);
  const { extension, log } = create({ start: [{ module: path }], shutdown: [{ module: path }] });
  await extension.start();
  await extension.shutdown(1000);
  assert.deepEqual(
    log.lines.filter((line) => line.startsWith('info')),
    ['info: start false', 'info: shutdown false'],
  );
});

const broken = [
  ['export const nothing = 1;', 'expected a function as its default export, found undefined'],
  ['export default () => { throw new Error("no luck"); };', 'no luck'],
  [
    'export default ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("late"))));',
    'expected it to end within 100 ms, found it running; not waiting any longer',
  ],
] as const;

for (const [text, message] of broken) {
  test(`Hooks refuses to start, when a required module fails: ${message}`, async () => {
    const path = writeModule(text);
    const { extension } = create({ start: [{ module: path, required: true, timeout: '100ms' }] });
    await assert.rejects(async () => extension.start(), {
      message: `Cannot run module "${path}" at start: ${message}`,
    });
  });
}

test('factory.check requires exactly one command or module in each hook', () => {
  const settings = {
    start: [{}, { command: ['true'], shell: 'true' }, { command: ['true'] }],
    shutdown: [{ command: [''] }],
  };
  assert.deepEqual(factory.check?.(parseSettings(factory.schema, settings)), [
    'start[0]: expected one of command, shell and module, found 0 of them',
    'start[1]: expected one of command, shell and module, found 2 of them',
    'shutdown[0].command[0]: expected a program, found ""',
  ]);
});
