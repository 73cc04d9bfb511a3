import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { UnavailableError } from '../../src/errors.js';
import type { Table } from '../../src/model/table.js';
import { noSqlite } from '../../src/sql/sqlite.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { compressZstd, zstdMissing } from '../../src/zstd.js';
import { schema } from './config.js';
import { factory } from './factory.js';
import { describeTables, gaugeLine, replay, threeLines, threeTables, writeFile } from './replay.fixture.js';

const csvHeader = 'time,start_time,kind,type,state,resource,attributes,x (1)';

function counterRow(second: number, start: number, value: number): string {
  return `1970-01-01T00:00:0${second}Z,1970-01-01T00:00:0${start}Z,counter,double,,{},{},${value}`;
}

test('tables come in the order of the lines, and each series is one object', async () => {
  const { tables, log } = await replay({ files: [writeFile('a.json', threeLines)] });
  assert.deepEqual(describeTables(tables), threeTables);
  assert.equal(tables[0].series, tables[2].series);
  assert.deepEqual(log, ['info: Replayed 3 points of 1 file']);
});

test('the number of points is logged while files are replayed', async () => {
  const logged = createLogCollector();
  const isLogged = () =>
    logged.lines.some((line) => /^info: Replayed 2 points in \d+ s, continuing$/u.test(line));
  let refusals = 0;
  // The third table waits until the line is there.
  const readBacklog = () => (collector.tables.length === 2 && !isLogged() && refusals++ < 1000 ? 1 : 0);
  const collector = createTableCollector();
  const settings = { files: [writeFile('a.json', threeLines)], progress_interval: '5ms' };
  const { log } = await replay(settings, { next: collector, context: { log: logged, readBacklog } });
  assert.ok(isLogged(), logged.lines.join('\n'));
  assert.equal(logged.lines.at(-1), 'info: Replayed 3 points of 1 file');
  assert.deepEqual(log, []);
});

test('files of versions without histograms are read', async () => {
  const folder = new URL('../../../receivers/replay/testdata/', import.meta.url).pathname;
  const { tables } = await replay({ files: [`${folder}collector.json`] });
  for (const name of ['numbers.csv', 'numbers.parquet', ...(noSqlite === false ? ['numbers.db'] : [])]) {
    // SQLite writes files next to the one that it reads.
    const copy = writeFile(name, readFileSync(`${folder}${name}`));
    const { tables: found, log } = await replay({ files: [copy] });
    assert.deepEqual(listCells(found), listCells(tables), name);
    assert.deepEqual(log, ['info: Replayed 6 points of 1 file'], name);
  }
});

/** Every cell and end, whatever tables they are in. */
function listCells(tables: readonly Table[]): readonly string[] {
  return describeTables(tables)
    .flatMap((line) => line.split(/; | (?=[^ ]+@)/u))
    .toSorted();
}

test('histograms come as tables of their own, moved as the others are', async () => {
  const file = new URL('../../../receivers/replay/testdata/collector.json', import.meta.url);
  const next = createTableCollector();
  const { log } = await replay({ files: [file.pathname], times: 'now' }, { next });
  const [table] = next.histograms;
  assert.deepEqual(
    table?.series.map(({ metric }) => `${metric.name} ${metric.unit}`),
    ['lat s'],
  );
  assert.deepEqual([...(table?.counts ?? [])], [1]);
  assert.equal(table?.epoch, next.tables[0]?.epoch);
  assert.equal(log.at(-1), 'info: Replayed 7 points of 1 file');
});

test('what a Collector wrote is read: points of several instants and resources in a line', async () => {
  const file = new URL('../../../receivers/replay/testdata/collector.json', import.meta.url);
  const { tables, log } = await replay({ files: [file.pathname] });
  assert.deepEqual(describeTables(tables), [
    'hw.energy@1800000000=1.5 hw.energy@1800000000=2.5; hw.energy@1800000001=1.75 hw.energy@1800000001=2.75',
    'threads@1800000001=9007199254740991',
    'hw.energy@1800000002=2',
    'hw.energy@1800000002 ended',
  ]);
  const [{ series }] = tables;
  assert.deepEqual(series[1], {
    metric: { name: 'hw.energy', unit: 'J', description: 'Energy', kind: 'counter', valueType: 'double' },
    resource: {
      attributes: { 'host.name': 'node-1', 'host.cpu.count': 8, tags: '["a"]' },
    },
    attributes: { 'hw.id': 'dram-0', virtual: false, share: 0.5 },
    start: 1_799_999_999_000_000_001n,
  });
  assert.equal(tables[1].series[0].metric.kind, 'updowncounter');
  assert.equal(tables[3].ended?.[0], series[0]);
  assert.ok(
    log.includes(
      `warn: Skipped points of kind "sum of delta temporality" in ${file.pathname}: only gauges and cumulative sums and histograms are replayed`,
    ),
  );
});

test(
  'zstd files are read, ours and those of the Collector with lengths',
  { skip: zstdMissing ?? false },
  async () => {
    const frames = [1, 2, 3].map((second) => compressZstd(Buffer.from(gaugeLine(second, second / 10))));
    const prefixed = frames.flatMap((frame) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(frame.length);
      return [length, frame];
    });
    for (const bytes of [frames, prefixed].map((parts) => Buffer.concat(parts))) {
      const { tables } = await replay({ files: [writeFile('a.json.zst', bytes)] });
      assert.deepEqual(describeTables(tables), threeTables);
    }
  },
);

test('patterns stand for files in the order of their names, and series continue from file to file', async () => {
  const folder = createFolder();
  writeFileSync(join(folder, 'e.json'), gaugeLine(3, 0.3));
  writeFileSync(join(folder, 'e-2026-01-02T00-00-00.000.json'), gaugeLine(2, 0.2));
  writeFileSync(join(folder, 'e-2026-01-01T00-00-00.000.json'), gaugeLine(1, 0.1));
  const { tables } = await replay({ files: [join(folder, 'e*.json')] });
  assert.deepEqual(describeTables(tables), threeTables);
  assert.equal(tables[0].series[0], tables[2].series[0]);
});

test('a series that begins after all of its resource have ended continues in the next file', async () => {
  const end = gaugeLine(2, 0).replace('"asDouble":0', '"flags":1');
  const first = writeFile('a.json', gaugeLine(1, 0.1) + end + gaugeLine(3, 0.3));
  const { tables } = await replay({ files: [first, writeFile('b.json', gaugeLine(4, 0.4))] });
  assert.deepEqual(describeTables(tables), ['x@1=0.1', 'x@2 ended', 'x@3=0.3', 'x@4=0.4']);
  assert.equal(tables[2].series[0], tables[3].series[0]);
});

test('start reports which file is not there', () => {
  const receiver = factory.create(
    parseSettings(schema, { files: ['/no/such.json'] }),
    createFakeContext(),
    createTableCollector(),
  );
  assert.throws(
    () => void receiver.start(),
    new UnavailableError('Cannot replay /no/such.json: expected a file, found none'),
  );
});

test('tables wait until the exporters have room', async () => {
  const collector = createTableCollector();
  const backlogs = [1, 0.9, 0.5, 0, 0.8];
  let backlog = 0;
  const readBacklog = () => (backlog = backlogs.shift() ?? 0);
  const next = {
    consume(table: Table) {
      assert.ok(backlog <= 0.5, `passed on while a queue was full to ${backlog}`);
      return collector.consume(table);
    },
  };
  const { log } = await replay(
    { files: [writeFile('a.json', threeLines)] },
    { next, context: { readBacklog } },
  );
  assert.deepEqual(describeTables(collector.tables), threeTables);
  assert.deepEqual(log, ['info: Replayed 3 points of 1 file']);
});

test('a table that one of several exporters refuses is not passed on twice, and its points are named', async () => {
  const collector = createTableCollector();
  const next = { consume: (table: Table) => collector.consume(table) && collector.tables.length !== 2 };
  const { log } = await replay({ files: [writeFile('a.json', threeLines)] }, { next });
  assert.deepEqual(describeTables(collector.tables), threeTables);
  assert.deepEqual(log, ['info: Replayed 2 points of 1 file', 'warn: Lost 1 point that an exporter refused']);
});

test('instants and starts are moved to now, when times is now', async () => {
  const file = new URL('../../../receivers/replay/testdata/collector.json', import.meta.url);
  const clock = { ...createFakeContext().clock, wallNs: () => 2_000_000_000_000_000_000n };
  const { tables } = await replay({ files: [file.pathname], times: 'now' }, { context: { clock } });
  assert.equal(tables[0].epoch, 2_000_000_000_000_000_000n);
  assert.equal(tables[0].series[0].start, 1_999_999_999_000_000_001n);
  assert.equal(tables[2].series[0], tables[0].series[1]);
});

test('tables wait for their time, when there is a speed', async () => {
  const path = writeFile('a.json', threeLines);
  const began = performance.now();
  await replay({ files: [path], speed: 20 });
  assert.ok(performance.now() - began >= 90, 'two seconds at twentyfold speed took less than 100 ms');
});

function failToFinish(): void {
  assert.fail('asked for the end');
}

test('at_end wait keeps the agent', { timeout: 20_000 }, async () => {
  const log = createLogCollector();
  const config = parseSettings(schema, { files: [writeFile('a.json', threeLines)], at_end: 'wait' });
  const receiver = factory.create(
    config,
    createFakeContext({ log, finish: failToFinish }),
    createTableCollector(),
  );
  await receiver.start();
  await until(() => log.lines.includes('info: Replayed 3 points of 1 file'));
  await receiver.shutdown();
});

test('shutdown ends a replay that waits for its time', { timeout: 20_000 }, async () => {
  const path = writeFile('a.json', gaugeLine(1, 1) + gaugeLine(100_000, 2));
  const collector = createTableCollector();
  const receiver = factory.create(
    parseSettings(schema, { files: [path], speed: 1 }),
    createFakeContext(),
    collector,
  );
  await receiver.start();
  await until(() => collector.tables.length > 0);
  await receiver.shutdown();
  await receiver.shutdown();
  assert.equal(collector.tables.length, 1);
});

test('a counter that starts again without an end is another series, and the old one ends', async () => {
  const path = writeFile(
    'a.csv',
    `${[csvHeader, counterRow(1, 0, 5), counterRow(2, 0, 6), counterRow(4, 3, 1)].join('\n')}\n`,
  );
  const { tables } = await replay({ files: [path] });
  assert.deepEqual(describeTables(tables), ['x@1=5; x@2=6', 'x@4 ended', 'x@4=1']);
  assert.notEqual(tables[0].series[0], tables[2].series[0]);
  assert.equal(tables[1].ended?.[0], tables[0].series[0]);
});
