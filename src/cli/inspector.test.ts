import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '../testing/until.js';

const main = fileURLToPath(new URL('main.js', import.meta.url));
const bin = fileURLToPath(new URL('../../../bin/joulemetry', import.meta.url));
const sigusr1 = 1n << 9n;

interface StartOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** exec passes SIGTERM on to its command; simulate does not look at signals while it computes. */
  readonly endWith: NodeJS.Signals;
}

/** Starts a command that lasts. Its inspector, if opened, would take a port that is free. */
function start(t: TestContext, args: readonly string[], options: StartOptions) {
  const { env = {}, endWith } = options;
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill(endWith);
    await ended;
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return { child, pid: child.pid ?? 0, readStderr: () => stderr, ended };
}

/** Whether the process receives SIGUSR1: before, it would end by it. */
function catchesSignal(pid: number): boolean {
  try {
    const caught = /^SigCgt:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
    return (BigInt(`0x${caught}`) & sigusr1) !== 0n;
  } catch {
    return false;
  }
}

/** The TCP ports on which a process listens. */
function findPorts(pid: number): readonly number[] {
  const inodes = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => tryReadLink(`/proc/${pid}/fd/${fd}`)));
  const lines = ['tcp', 'tcp6'].flatMap((file) =>
    existsSync(`/proc/${pid}/net/${file}`)
      ? readFileSync(`/proc/${pid}/net/${file}`, 'utf8').split('\n').slice(1)
      : [],
  );
  const fields = lines.map((line) => line.trim().split(/\s+/));
  const listening = fields.filter(
    ([, , , state, , , , , , inode]) => state === '0A' && inodes.has(`socket:[${inode}]`),
  );
  return listening.map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16));
}

function tryReadLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** A shell that says when it is ready for the signal, which exec relays to it. */
const shell = ['sh', '-c', 'trap : USR1; echo ready; while :; do sleep 0.1; done'];

async function signalOften(pid: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    process.kill(pid, 'SIGUSR1');
    await setTimeout(1);
  }
}

test('simulate keeps the inspector closed, when SIGUSR1 comes from the first instant on', async (t) => {
  const { pid, child, readStderr } = start(t, ['simulate', '--duration', '240h'], { endWith: 'SIGKILL' });
  await until(() => catchesSignal(pid) || child.exitCode !== null);
  await signalOften(pid);
  assert.equal(child.exitCode, null, readStderr());
  await until(() => findPorts(pid).length === 0);
});

test('exec keeps the inspector closed, when SIGUSR1 comes', async (t) => {
  const { pid, child, readStderr } = start(t, ['exec', '--', ...shell], { endWith: 'SIGTERM' });
  await once(child.stdout, 'data');
  await signalOften(pid);
  assert.equal(child.exitCode, null, readStderr());
  assert.deepEqual(findPorts(pid), []);
  assert.doesNotMatch(readStderr(), /Debugger/);
});

test('keepInspectorClosed leaves open what the operator asked for', async (t) => {
  const { pid } = start(t, ['exec', '--', ...shell], {
    env: { NODE_OPTIONS: '--inspect=127.0.0.1:0' },
    endWith: 'SIGTERM',
  });
  await until(() => findPorts(pid).length === 1);
});

/** A module that runs before the program's own, sends SIGUSR1, and waits until Node has tried to open the port. */
const early = `process.kill(process.pid, 'SIGUSR1'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);`;
const earlyOption = `--import=data:text/javascript,${encodeURIComponent(early)}`;

test('bin/joulemetry gives Node no port for the inspector, when SIGUSR1 comes before the program runs', async () => {
  const env = { ...process.env, NODE_OPTIONS: earlyOption };
  const { stderr } = await promisify(execFile)(bin, ['components'], { env });
  assert.doesNotMatch(stderr, /Debugger listening/);
  assert.match(stderr, /192\.0\.2\.1/);
});

test('keepInspectorClosed closes what an early SIGUSR1 has opened, when only its port was configured', async (t) => {
  const { child, pid, readStderr } = start(t, ['exec', '--', ...shell], {
    env: { NODE_OPTIONS: `${earlyOption} --inspect-port=127.0.0.1:0` },
    endWith: 'SIGTERM',
  });
  await once(child.stdout, 'data');
  assert.match(readStderr(), /Debugger listening/);
  // On a busy machine, Node may open it late.
  await until(() => findPorts(pid).length === 0);
});
