import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createLogCollector } from '../component/fakes.js';
import type { Table } from '../model/table.js';
import { createDevice } from './device.fixture.js';
import { GpuScraper, type GpuThread } from './gpu-scraper.js';
import type { Reading } from './protocol.js';

const describeDevice = (id: string) => createDevice({ id, columns: ['utilization.general'] });

function createReading(devices: readonly string[] | undefined, ...ids: readonly string[]): Reading {
  const rows = ids.map((id) => ({
    id,
    atNs: process.hrtime.bigint(),
    values: Float64Array.of(0.5),
    profile: undefined,
    usage: undefined,
    memory: undefined,
  }));
  const notes = [{ level: 'info', text: `Found ${devices?.join()}` }] as const;
  return { devices: devices?.map(describeDevice), rows, notes, problems: [], failure: undefined };
}

test('GpuScraper reads the devices that a reading reported too late', async () => {
  const log = createLogCollector();
  const readings = [createReading(undefined, 'GPU-0'), createReading(undefined, 'GPU-1')];
  const thread: GpuThread = {
    onLate: undefined,
    read: () => Promise.resolve(readings.shift() ?? createReading(undefined)),
    close: () => Promise.resolve(),
  };
  const config = { collection_interval: 1000, procfs: '/proc', passwd: '/etc/passwd', service: false };
  const reading = createReading(['GPU-0']);
  const scraper = new GpuScraper(config, createFakeContext({ log }), { thread, reading });
  const read = async () => {
    const tables: Table[] = [...(await scraper.scrape(0))];
    return tables.flatMap(({ series }) => series.map(({ attributes }) => attributes['hw.id']));
  };
  assert.deepEqual(new Set(await read()), new Set(['GPU-0']));
  thread.onLate?.(createReading(['GPU-1'], 'GPU-1'));
  assert.deepEqual(new Set(await read()), new Set(['GPU-1']));
  assert.deepEqual(log.lines, [
    'info: Found GPU-0',
    'info: Found undefined',
    'info: Found GPU-1',
    'info: Found undefined',
  ]);
});
