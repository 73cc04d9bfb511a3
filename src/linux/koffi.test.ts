import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import original from 'koffi';
import { koffi } from './koffi.js';

test('koffi is the addon that the package of this name gives to others', () => {
  assert.equal(koffi.alloc, original.alloc);
  assert.equal(koffi.sizeof('long'), 8);
});

test('koffi comes from the package of this platform, without the modules of koffi itself', () => {
  const script = `
    import { createRequire } from 'node:module';
    await import(${JSON.stringify(new URL('koffi.js', import.meta.url).href)});
    console.log(Object.keys(createRequire(import.meta.url).cache).join('\\n'));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.match(stdout, /@koromix\/koffi-linux-\w+\/.*\.node$/mu, stderr);
  assert.doesNotMatch(stdout, /node_modules\/koffi\//u);
});
