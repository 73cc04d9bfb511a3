import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { skipWithout } from '../testing/needs.fixture.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { findPeakRssBytes } from './children.js';

test('findPeakRssBytes gives what this process has had', () => {
  const peak = findPeakRssBytes(process.pid) ?? 0;
  assert.ok(peak > 10e6 && peak >= 0.9 * process.memoryUsage.rss(), `${peak}`);
});

test('findPeakRssBytes finds nothing, when there is no such process', () => {
  assert.equal(findPeakRssBytes(2 ** 30), undefined);
});

const orphansUrl = new URL('children.js', import.meta.url).href;
const inNamespace = ['--fork', '--pid', '--mount-proc', '--kill-child'];
const skip = skipWithout(['unshare', ...inNamespace]);

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

// It ends as soon as its orphan is gone; a zombie would keep its folder.
const orphaning = `
  rm -f "$0"
  (sh -c 'echo $$ >"$0.new"; mv "$0.new" "$0"' "$0" &)
  until [ -e "$0" ]; do sleep 0.01; done
  while [ -e "/proc/$(cat "$0")" ]; do sleep 0.01; done
  exit "$1"`;

test('exec as the first process leaves no zombie and takes the end of its command', { skip }, () => {
  const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));
  const command = ['sh', '-c', orphaning, join(createFolder(), 'pid')];
  const run = (options: readonly string[], code: string) =>
    spawnSync(
      'unshare',
      [...inNamespace, process.execPath, main, 'exec', '-q', ...options, ...command, code],
      { encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' },
    );
  assert.deepEqual(pick(run([], '7')), [7, '', '']);
  assert.deepEqual(pick(run(['-r', '5'], '0')), [0, '', '']);
});

function pick({ status, stdout, stderr }: ReturnType<typeof spawnSync>) {
  return [status, stdout, stderr];
}
