import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { appendFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { playRandomMachine } from '../processors/attribution/random-machine.fixture.js';
import { Rig } from '../processors/attribution/rig.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { runAgent } from './agent.js';

/** The path of a file with the audit sheets of a random machine. */
async function writeSheets(): Promise<string> {
  const path = join(createFolder(), 'audit.jsonl');
  const rig = new Rig({ audit: { path }, floor: [{ hw_type: 'cpu', power: 4.3 }] });
  playRandomMachine(rig, { seed: 1, scans: 200, scanS: 1 });
  await rig.processor.shutdown();
  return path;
}

test('audit confirms a file with any number of windows', async () => {
  const path = await writeSheets();
  const once = await runAgent(['audit', path]);
  assert.equal(once.code, 0, once.stderr);
  assert.match(once.stderr, /^Confirmed [\d,]+ figures of [\d,]+ windows\n$/u);
  const sheets = readFileSync(path);
  const large = join(createFolder(), 'large.jsonl');
  while ((await stat(large).catch(() => ({ size: 0 }))).size < 30e6) await appendFile(large, sheets);
  // The file is larger than the memory limit.
  const { code, stderr } = await runAgent(['audit', large], { NODE_OPTIONS: '--max-old-space-size=24' });
  assert.equal(code, 0, stderr);
});

test('audit names the first figure that differs, and ends with 1', async () => {
  const path = await writeSheets();
  const lines = readFileSync(path, 'utf8').split('\n');
  const number = lines.findIndex((line, i) => i > 300 && line.startsWith('{"window"'));
  lines[number] = (lines[number] ?? '').replace(/"energy_nj":\d/u, '"energy_nj":9');
  writeFileSync(path, lines.join('\n'));
  const { code, stderr } = await runAgent(['audit', path]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    new RegExp(
      `^Cannot confirm ${path}:${number + 1}: energy in the window of \\w+ ".*" from .*: expected \\d+ nJ, found \\d+ nJ\n$`,
      'u',
    ),
  );
});

test('audit names the line at which a file is cut off, and ends with 1', async () => {
  const path = await writeSheets();
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.slice(0, -20));
  const { code, stderr } = await runAgent(['audit', path]);
  assert.equal(code, 1);
  const { length } = text.trimEnd().split('\n');
  assert.equal(
    stderr,
    `Cannot confirm ${path}:${length}: expected a line of JSON, found one that is cut off or damaged\n`,
  );
});

test('audit ends with 1 without any window or file, and with 2 without a name', async () => {
  const path = join(createFolder(), 'empty');
  writeFileSync(path, '');
  const empty = await runAgent(['audit', path]);
  assert.deepEqual([empty.code, empty.stderr], [1, `Cannot confirm ${path}: expected windows, found none\n`]);
  const absent = await runAgent(['audit', `${path}.none`]);
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /^Cannot read .*\.none: ENOENT$/mu);
  const unnamed = await runAgent(['audit']);
  assert.equal(unnamed.code, 2);
  assert.match(unnamed.stderr, /^Cannot audit: expected one FILE, found 0/u);
});
