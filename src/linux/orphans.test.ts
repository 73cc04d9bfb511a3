import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

const orphansUrl = new URL('orphans.js', import.meta.url).href;
const inNamespace = ['--fork', '--pid', '--mount-proc'];
const isRefused = spawnSync('unshare', [...inNamespace, 'true']).status !== 0;
const skip = isRefused && process.env['JOULEMETRY_TEST_ROOT'] !== 'required' && 'needs root, to run unshare';

// The first process of a pid namespace. Its own child must reach Node, the orphan must not stay a zombie.
const script = `
  import { spawn } from 'node:child_process';
  import { readdirSync, readFileSync } from 'node:fs';
  import { reapOrphansAsInit } from ${JSON.stringify(orphansUrl)};
  const own = new Set();
  reapOrphansAsInit(own);
  const child = spawn('sh', ['-c', '(sleep 0.2 & sleep 0.3 &) ; sleep 0.1; exit 7']);
  own.add(child.pid);
  child.on('exit', (code) => console.log('child', code));
  const others = () => readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && name !== '1');
  const timer = setInterval(() => {
    if (child.exitCode === null || others().length > 0) return;
    clearInterval(timer);
    console.log('alone');
  }, 5);
`;

test('reapOrphansAsInit leaves no zombie and takes no child of Node', { skip }, async () => {
  const node = [process.execPath, '--input-type=module', '-e', script];
  const child = spawn('unshare', [...inNamespace, ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await once(child, 'close');
  assert.equal(said, 'child 7\nalone\n');
});
