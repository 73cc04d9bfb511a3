import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { contract } from '../src/contract/contract.js';
import { createFakeContext, createLogCollector } from '../src/contract/fakes.js';
import { createSampling } from '../src/sampling/sampling-threads.js';
import { loadComponentFolders, repositoryRoot } from './component-folders.js';
import { renderConfigSchema } from './config-schema.js';

const folders = await loadComponentFolders();

for (const folder of folders) {
  for (const { name, check } of contract) {
    test(`${folder.type} ${folder.kind} ${name}`, async () => {
      const fake = createFakeContext({ id: folder.type });
      const sampling = createSampling({ log: createLogCollector(), meter: fake.meter });
      try {
        await check({ ...folder, context: { ...fake, sampling } });
      } finally {
        await sampling.shutdown();
      }
    });
  }
}

test('config/schema.json says what the components say', () => {
  const written: unknown = JSON.parse(readFileSync(new URL('config/schema.json', repositoryRoot), 'utf8'));
  assert.deepEqual(written, JSON.parse(renderConfigSchema(folders)), 'run: npm run docs');
});
