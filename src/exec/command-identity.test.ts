import assert from 'node:assert/strict';
import { mkdtempSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Owners } from '../identity/owners.js';
import { IdentityReader } from '../identity/process-identity.js';
import { ProcessStat } from '../linux/process-stat.js';
import { startHeld } from '../linux/held-child.js';
import { until } from '../contract/open-resources.js';
import { readCommandIdentity } from './command-identity.js';

/** What any receiver reads of the process once it runs. */
function readIdentity(pid: number) {
  const stat = new ProcessStat();
  assert.ok(stat.read(`/proc/${pid}`));
  const owners = new Owners('/etc/passwd');
  return new IdentityReader({ procfs: '/proc', owners, hasCommandLine: false }).read(pid, stat).attributes;
}

async function compare(t: TestContext, program: string, args: readonly string[], executable: string) {
  const child = await startHeld(program, args);
  t.after(() => child.signal('SIGKILL'));
  const predicted = readCommandIdentity(child.pid, Buffer.from(program));
  child.release();
  // While it waits, it is a copy of this process.
  await until(() => readlinkSync(`/proc/${child.pid}/exe`) !== process.execPath);
  assert.equal(predicted['process.executable.path'], realpathSync(executable));
  assert.deepEqual(predicted, readIdentity(child.pid));
  child.signal('SIGKILL');
  await child.ended;
}

test('readCommandIdentity gives the resource that a receiver reads once the command runs', async (t) => {
  await compare(t, '/bin/sleep', ['60'], '/bin/sleep');
});

test('readCommandIdentity names the interpreter of a script, as the kernel does', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'joulemetry-script-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const script = join(folder, 'a-script-with-a-long-name');
  writeFileSync(script, '#! /bin/sh -e\nsignal=STOP\nkill -$signal $$\n', { mode: 0o755 });
  await compare(t, script, [], '/bin/sh');
});
