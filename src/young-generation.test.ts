import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const moduleUrl = new URL('young-generation.js', import.meta.url).href;

/** How many bytes V8 has for new objects after a process made many of which some live on. */
function measureNewSpace(preparation: string): number {
  const script = `
    import { once } from 'node:events';
    import { getHeapSpaceStatistics } from 'node:v8';
    import { Worker } from 'node:worker_threads';
    import { stopHeapGrowth } from ${JSON.stringify(moduleUrl)};
    ${preparation}
    const kept = [];
    for (let i = 0; i < 3e6; i++) kept[i % 1e5] = { i };
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  return Number(stdout);
}

test('stopHeapGrowth keeps the space for new objects small, when many live on', () => {
  const [grown, kept] = [measureNewSpace(''), measureNewSpace('stopHeapGrowth();')];
  assert.ok(kept <= grown / 2, `${kept} bytes, and ${grown} without`);
});

test('stopHeapGrowth keeps it small when it is called again after a thread has begun', () => {
  const thread = "await once(new Worker('', { eval: true }), 'online');";
  const [grown, kept] = [
    measureNewSpace(thread),
    measureNewSpace(`stopHeapGrowth(); ${thread} stopHeapGrowth();`),
  ];
  assert.ok(kept <= grown / 2, `${kept} bytes, and ${grown} without`);
});

/** By how many KiB resident memory grows for a moment while a process collects its garbage and 64 MB of objects live on. */
function measureRiseKib(preparation: string): number {
  const script = `
    import { readFileSync, writeFileSync } from 'node:fs';
    import { setFlagsFromString } from 'node:v8';
    import { runInNewContext } from 'node:vm';
    import { limitCompaction } from ${JSON.stringify(moduleUrl)};
    setFlagsFromString('--expose-gc');
    const kept = Array.from({ length: 1e6 }, (_, i) => [i]);
    const collect = runInNewContext('gc');
    const readKib = (name) => Number(new RegExp(name + ':\\\\s+(\\\\d+)').exec(readFileSync('/proc/self/status', 'utf8'))[1]);
    setFlagsFromString('--no-compact-on-every-full-gc');
    collect();
    setFlagsFromString('--compact-on-every-full-gc');
    ${preparation}
    // Resets VmHWM.
    writeFileSync('/proc/self/clear_refs', '5');
    const before = readKib('VmRSS');
    collect();
    if (kept.length > 0) console.log(readKib('VmHWM') - before);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  return Number(stdout);
}

test('limitCompaction keeps a full collection from moving a large heap, which takes its memory twice', (t) => {
  if (Number.parseInt(process.versions.v8, 10) >= 12)
    return t.skip('this Node moves no heap at every full collection');
  const [moved, kept] = [measureRiseKib(''), measureRiseKib('limitCompaction();')];
  assert.ok(kept <= moved / 4, `${kept} KiB, and ${moved} where it is moved`);
});
