import assert from 'node:assert/strict';
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parquetReadObjects } from 'hyparquet';
import { asyncBufferFromFile } from 'hyparquet/src/node.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { createReading, createSeries, startExporter, writeTables } from './file.fixture.js';

const series = createSeries();

async function readColumn(path: string, name = 'value'): Promise<readonly unknown[]> {
  const rows = await parquetReadObjects({
    file: await asyncBufferFromFile(path),
    parsers: { timestampFromNanoseconds: (nanos: bigint) => nanos },
  });
  return rows.map((row) => row[name] as unknown);
}

test('a Parquet file is complete after every flush', async () => {
  const path = join(createFolder(), 'energy.parquet');
  const { consume, stop, counted } = await startExporter({ path, format: 'parquet', flush_interval: '1ms' });
  for (const second of [1, 2, 3]) {
    consume(createReading(series, second));
    await until(() => counted.sent >= second);
    assert.deepEqual(
      await readColumn(path),
      Array.from({ length: second }, (_, i) => i + 1),
    );
  }
  assert.deepEqual(await readColumn(path, 'hw.id'), ['package-0', 'package-0', 'package-0']);
  assert.equal((await readColumn(path, 'time'))[1], 1_800_000_002_000_000_000n);
  await stop();
  assert.ok(!existsSync(`${path}.footer`));
});

test('a gap is null in a Parquet file', async () => {
  const path = join(createFolder(), 'energy.parquet');
  await writeTables({ path, format: 'parquet' }, [createReading(series, 1), createReading(series, 2, NaN)]);
  assert.deepEqual(await readColumn(path), [1, null]);
  assert.deepEqual(await readColumn(path, 'state'), [null, null]);
});

test('a Parquet file whose last write was incomplete is repaired by the next start and kept as a backup', async () => {
  const folder = createFolder();
  const path = join(folder, 'energy.parquet');
  const { consume, stop, counted } = await startExporter({ path, format: 'parquet', flush_interval: '1ms' });
  for (const second of [1, 2, 3]) {
    consume(createReading(series, second));
    await until(() => counted.sent >= second);
  }
  // As if killed during the third write: the previous footer is next to the file.
  const torn = join(folder, 'torn.parquet');
  copyFileSync(path, torn);
  copyFileSync(`${path}.footer`, `${torn}.footer`);
  truncateSync(torn, statSync(torn).size - 100);
  await stop();
  await writeTables({ path: torn, format: 'parquet' }, [createReading(series, 9)]);
  const backup = readdirSync(folder).find((name) => name.startsWith('torn-')) ?? '';
  assert.deepEqual(await readColumn(join(folder, backup)), [1, 2]);
  assert.deepEqual(await readColumn(torn), [9]);
});

test('a Parquet file is repaired, even if the incomplete write left the end of the previous footer', async () => {
  const folder = createFolder();
  const path = join(folder, 'energy.parquet');
  const { consume, stop, counted } = await startExporter({ path, format: 'parquet', flush_interval: '1ms' });
  consume(createReading(series, 1));
  await until(() => counted.sent === 1);
  const torn = join(folder, 'torn.parquet');
  copyFileSync(path, torn);
  const footerLength = readFileSync(torn).readUInt32LE(statSync(torn).size - 8);
  const footerAt = statSync(torn).size - 8 - footerLength;
  consume(createReading(series, 2));
  await until(() => counted.sent === 2);
  copyFileSync(`${path}.footer`, `${torn}.footer`);
  // Only the first bytes of the second write.
  const file = openSync(torn, 'r+');
  writeSync(file, readFileSync(path).subarray(footerAt, footerAt + 100), 0, 100, footerAt);
  closeSync(file);
  await stop();
  await writeTables({ path: torn, format: 'parquet' }, []);
  const backup = readdirSync(folder).find((name) => name.startsWith('torn-')) ?? '';
  assert.deepEqual(await readColumn(join(folder, backup)), [1]);
});

test('an existing Parquet file becomes a backup', async () => {
  const folder = createFolder();
  const path = join(folder, 'energy.parquet');
  await writeTables({ path, format: 'parquet' }, [createReading(series, 1)]);
  await writeTables({ path, format: 'parquet' }, [createReading(series, 2)]);
  assert.deepEqual(await readColumn(path), [2]);
  assert.equal(readdirSync(folder).length, 2);
});
