import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { createReading, createSeries, readFileLines, startExporter, writeTables } from './file.fixture.js';

const energy = createSeries();
const power = createSeries('hw.power');

test('a CSV file has units in its header, instants with nanoseconds, and quoted fields', async () => {
  const path = join(createFolder(), 'energy.csv');
  await writeTables({ path, format: 'csv', attribute_columns: ['hw.id', 'host.name'] }, [
    createReading(energy, 1, 0.1),
    { ...createReading(energy, 2), values: Float64Array.of(NaN), ended: [energy] },
  ]);
  const shared = '2027-01-15T08:00:00.000000000Z,counter,double';
  const attributes = '"{""host.name"":""node-1""}","{""hw.id"":""package-0""}",package-0,node-1';
  assert.deepEqual(readFileLines(path), [
    'time,start_time,kind,type,state,resource,attributes,hw.id,host.name,hw.energy (J)',
    `2027-01-15T08:00:01.000000000Z,${shared},,${attributes},0.1`,
    `2027-01-15T08:00:02.000000000Z,${shared},,${attributes},NaN`,
    `2027-01-15T08:00:02.000000000Z,${shared},ended,${attributes},NaN`,
  ]);
});

function named(name: string | number) {
  return createReading({ ...createSeries('=cmd'), attributes: { '@name': name } }, 1, -1);
}

test('text that a spreadsheet would read as a formula gets a leading apostrophe, numbers do not', async () => {
  const path = join(createFolder(), 'energy.csv');
  const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '\uff1d1', "'=1"];
  const harmless = ['a=1', "it's", "'", 'x-1'];
  const settings = { path, format: 'csv', attribute_columns: ['@name'] };
  await writeTables(settings, [...formulas, ...harmless, -5].map(named));
  const [header, ...rows] = readFileLines(path);
  assert.equal(header, "time,start_time,kind,type,state,resource,attributes,'@name,'=cmd (J)");
  assert.deepEqual(
    rows.map((row) => row.split(',').slice(-2)),
    [...formulas.map((text) => `'${text.replace('\r', ' ')}`), ...harmless, '-5'].map((cell) => [cell, '-1']),
  );
  await writeTables(settings, [named('more')]);
  assert.equal(readFileLines(path).length, rows.length + 2);
});

test('a metric that is added later gets a column in every line of the file', async () => {
  const folder = createFolder();
  const path = join(folder, 'energy.csv');
  const settings = { path, format: 'csv', attribute_columns: [] };
  await writeTables(settings, [createReading(energy, 1)]);
  await writeTables(settings, [createReading(power, 2), createReading(energy, 3)]);
  const cells = readFileLines(path).map((line) => line.split(',').slice(-2));
  assert.deepEqual(cells, [
    ['hw.energy (J)', 'hw.power (J)'],
    ['1', ''],
    ['', '2'],
    ['3', ''],
  ]);
  assert.deepEqual(readdirSync(folder), ['energy.csv']);
});

test('a metric that is added later starts another file, when this one is compressed', async () => {
  const folder = createFolder();
  const path = join(folder, 'energy.csv.gz');
  const { consume, stop, counted } = await startExporter({
    path,
    format: 'csv',
    compression: 'gzip',
    flush_interval: '1ms',
  });
  consume(createReading(energy, 1));
  await until(() => counted.sent === 1);
  consume(createReading(power, 2));
  await until(() => readdirSync(folder).length === 2);
  await stop();
});

test('a CSV file with other columns of attributes becomes a backup', async () => {
  const folder = createFolder();
  const path = join(folder, 'energy.csv');
  await writeTables({ path, format: 'csv', attribute_columns: ['hw.id'] }, [createReading(energy, 1)]);
  await writeTables({ path, format: 'csv', attribute_columns: [] }, [createReading(energy, 2)]);
  assert.equal(readdirSync(folder).length, 2);
  assert.equal(readFileLines(path).length, 2);
});

test('a CSV file that a crash left with an incomplete header becomes a backup', async () => {
  const folder = createFolder();
  const path = join(folder, 'energy.csv');
  writeFileSync(path, 'time,start_ti');
  await writeTables({ path, format: 'csv' }, [createReading(energy, 1)]);
  assert.equal(readFileLines(path).length, 2);
  assert.equal(readdirSync(folder).length, 2);
});
