import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readlinkSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { IdentityReader } from '../identity/process-identity.js';
import { startHeld } from '../linux/held-child.js';
import { ProcessStat } from '../linux/process-stat.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { until } from '../testing/until.js';
import { readCommandIdentity } from './command-identity.js';

/** What any receiver reads of the process once it runs. */
function readIdentity(pid: number) {
  const stat = new ProcessStat();
  assert.ok(stat.read(`/proc/${pid}`));
  const options = { procfs: '/proc', passwd: '/etc/passwd', hasCommandLine: false, service: true };
  return new IdentityReader(options).read(pid, stat).attributes;
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
  const folder = createFolder();
  const script = join(folder, 'a-script-with-a-long-name');
  writeFileSync(script, '#! /bin/sh -e\nsignal=STOP\nkill -$signal $$\n', { mode: 0o755 });
  await compare(t, script, [], '/bin/sh');
});

function urlOf(path: string): string {
  return new URL(path, import.meta.url).href;
}

test('readCommandIdentity reports which service the command is part of by the environment that it inherits', () => {
  const script = `import { startHeld } from '${urlOf('../linux/held-child.js')}';
    import { readCommandIdentity } from '${urlOf('./command-identity.js')}';
    const child = await startHeld('/bin/sleep', ['60']);
    const { 'service.name': name } = readCommandIdentity(child.pid, Buffer.from('/bin/sleep'));
    console.log(name);
    child.signal('SIGKILL');`;
  const env = { ...process.env, OTEL_SERVICE_NAME: 'measured' };
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env,
    encoding: 'utf8',
  });
  assert.equal(stdout, 'measured\n');
});
