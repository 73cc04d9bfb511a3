import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSoakedAgent } from './soaked-agent.js';

test('startSoakedAgent starts an agent whose memory and pages can be read, and ends it', async (t) => {
  const agent = await startSoakedAgent();
  t.after(() => agent.end());
  const { residentBytes, privateBytes } = agent.readMemory();
  assert.ok(privateBytes > 0 && privateBytes < residentBytes);
  const { heapBytes } = await agent.scrape();
  assert.ok(heapBytes > 1e6 && heapBytes < residentBytes, `${heapBytes}`);
  await agent.end();
  assert.throws(() => agent.readMemory(), /^Error: Cannot measure the agent: it ended with exit code 0$/u);
});
