import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeAgent, createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

function createStorage(settings: Record<string, unknown>) {
  const context = {
    ...createFakeContext(),
    id: 'file_storage',
    isReady: () => true,
    agent: createFakeAgent(),
  };
  return factory.create(parseSettings(factory.schema, settings), context);
}

test('file_storage refuses a folder that another agent uses, until that agent has ended', async () => {
  const directory = createFolder();
  const [first, second] = [createStorage({ directory }), createStorage({ directory })];
  await first.start();
  assert.throws(() => second.start(), {
    message:
      `Cannot use the folder ${directory}: expected one that no other agent uses, found it in use. ` +
      'Set another extensions.file_storage.directory',
  });
  await first.shutdown();
  await second.start();
  await second.shutdown();
});

test('file_storage creates its folder for the owner only, and only where create_directory is set', async () => {
  const directory = join(createFolder(), 'a', 'b');
  const absent = createStorage({ directory, create_directory: false });
  assert.throws(() => absent.start(), /expected a writable folder, found ENOENT\. Create it for the user/u);
  const storage = createStorage({ directory });
  await storage.start();
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  await storage.shutdown();
});

test('file_storage reports a folder that is a file', () => {
  const directory = join(createFolder(), 'file');
  writeFileSync(directory, '');
  assert.throws(() => createStorage({ directory }).start(), /found (?:EEXIST|ENOTDIR)\. Create it/u);
});

test('file_storage gives exporters with different ids different folders, whatever the ids are', async () => {
  const directory = createFolder();
  const storage = createStorage({ directory });
  await storage.start();
  const queues = [await storage.openQueue('otlp_http/a'), await storage.openQueue('otlp_http')];
  for (const queue of queues) await queue.close();
  assert.ok(statSync(join(directory, 'otlp_http%2Fa')).isDirectory());
  assert.ok(statSync(join(directory, 'otlp_http')).isDirectory());
  await storage.shutdown();
});
