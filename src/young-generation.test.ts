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
