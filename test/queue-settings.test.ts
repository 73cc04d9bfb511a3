import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../src/config/settings.js';
import { loadComponentFolders } from './component-folders.js';

test('every exporter with a queue refuses one that is smaller than a request', async () => {
  const exporters = (await loadComponentFolders()).filter(
    ({ factory: { schema } }) => 'sending_queue' in schema && 'batch' in schema,
  );
  assert.ok(exporters.length > 10, `${exporters.length} exporters`);
  const silent = exporters.filter(({ factory }) => {
    const settings = { sending_queue: { queue_bytes: 4096 }, batch: { max_bytes: 8192 } };
    const problems = factory.check?.(parseSettings(factory.schema, settings)) ?? [];
    return !problems.some((problem) =>
      /^sending_queue\.queue_bytes: expected at least \S+, 8192, found 4096$/u.test(problem),
    );
  });
  assert.deepEqual(
    silent.map(({ type }) => type),
    [],
  );
});
