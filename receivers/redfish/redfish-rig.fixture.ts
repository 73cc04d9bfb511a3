import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { serve } from '../../src/http/device.fixture.js';
import { startReceiver } from '../../src/scraping/running-receiver.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';
import { FakeRedfish, type Resources } from './fake-redfish.fixture.js';

/** Starts a receiver of one BMC that reads when it is flushed. Its ids do not contain the server's address. */
export async function startRig(t: TestContext, resources: Resources, settings: Record<string, unknown> = {}) {
  const bmc = new FakeRedfish(resources);
  const { endpoint: _, measures = 'other', ...own } = settings;
  const endpoint = await serve(t, bmc.answer);
  const { host } = new URL(endpoint);
  const running = await startReceiver(t, factory, {
    collection_interval: '1h',
    endpoints: [{ endpoint, measures }],
    ...own,
  });
  const last = (metric: string) =>
    Object.fromEntries(
      Object.entries(running.last(metric)).map(([id, value]) => [id.replace(`${host}/`, ''), value]),
    );
  const read = async () => {
    await running.receiver.flush?.();
  };
  await read();
  return { ...running, bmc, last, read };
}

export function createPassword(text: string): string {
  const path = join(createFolder(), 'password');
  writeFileSync(path, `${text}\n`);
  return path;
}
