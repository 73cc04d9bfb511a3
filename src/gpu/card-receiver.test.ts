import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../component/fakes.js';
import { parseSettings } from '../config/settings.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { createCardFactory } from './card-receiver.js';
import { cardSettings } from './card-settings.js';

test('a receiver of cards names the driver that is missing without starting a thread', async () => {
  const remedies = [{ missing: 'the driver fast', command: 'modprobe fast' }];
  const factory = createCardFactory({
    schema: cardSettings,
    family: { vendor: 'ACME', drivers: ['fast'] },
    module: new URL('file:///nowhere/reading-thread.js'),
    remedies,
    metrics: [],
  });
  const sysfs = createFolder();
  const config = parseSettings(cardSettings, { sysfs });
  const found = `Cannot find a GPU of ACME: expected a card of fast in ${sysfs}/class/drm, found none`;
  const context = createFakeContext();
  assert.deepEqual(await factory.probe(config, context), { available: false, found, remedies });
  const receiver = factory.create(config, context, createTableCollector());
  await assert.rejects(async () => receiver.start(), { name: 'UnavailableError', message: found });
});
