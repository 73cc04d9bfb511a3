import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../component/fakes.js';
import { runAtOnce } from '../linux/slices.js';
import type { Metric } from '../model/series.js';
import type { Table } from '../model/table.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { parseLine } from './lines.js';
import { createSourceReceiver, probeSources, SourceScraper, type NamedSource } from './scraping-receiver.js';
import { Source, type DescribeSource } from './source.js';

const level: Metric = { name: 'level', unit: '1', description: '', kind: 'gauge', valueType: 'int' };

/** Two files with a number each, which become gauges named after the files. */
function describePair(folder: string): DescribeSource {
  return (source) => {
    const parts = ['left', 'right'].map((name) => {
      const file = source.file(join(folder, name));
      const gauges = source.gauges([{ metric: level, attributes: { name } }]);
      return (at: bigint) => {
        const value = parseLine(file.path, file.read(), 'level ');
        return gauges.row(at, [source.check(file.path, value, 100)]);
      };
    });
    return (at) => {
      const tables: Table[] = [];
      source.readParts(parts.map((part) => () => tables.push(part(at))));
      return tables;
    };
  };
}

function createPair() {
  const folder = createFolder();
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write('left', 'level 1\n');
  write('right', 'level 2\n');
  const log = createLogCollector();
  const source = new Source(createFakeContext({ log }), describePair(folder));
  return { folder, write, source, log };
}

const valuesOf = (tables: Iterable<Table>): unknown[] =>
  [...tables].flatMap(({ series, values }) =>
    series.map(({ attributes }, i) => [attributes['name'], values[i]]),
  );

test('Source.read returns the readable parts, and the reasons for the others', () => {
  const { folder, write, source } = createPair();
  write('right', 'nonsense\n');
  const damaged = runAtOnce(source.read());
  assert.deepEqual(valuesOf(damaged.tables), [['left', 1]]);
  assert.equal(damaged.error, undefined);
  assert.match(damaged.failed.join(), /^Cannot parse .*\/right: expected a line that begins with "level "/);
  rmSync(join(folder, 'left'));
  source.close();
  write('right', 'level 3\n');
  const gone = runAtOnce(source.read());
  assert.deepEqual(valuesOf(gone.tables), [
    ['right', 3],
    ['left', NaN],
  ]);
  assert.match(gone.absent.join(), /^Cannot read .*\/left: ENOENT$/);
  assert.deepEqual(gone.failed, []);
  assert.deepEqual(valuesOf(runAtOnce(source.read()).tables), [['right', 3]], 'a gap is published once');
  source.close();
});

test('Source.read returns a gap when nothing can be read any more, once each time', () => {
  const { write, source } = createPair();
  const read = () => valuesOf(runAtOnce(source.read()).tables);
  const both = (text: string): void => ['left', 'right'].forEach((name) => write(name, text));
  const gap = [
    ['left', NaN],
    ['right', NaN],
  ];
  for (let i = 0; i < 2; i++) {
    both('level 7\n');
    assert.equal(read().length, 2);
    both('');
    assert.deepEqual(read(), gap);
    assert.deepEqual(read(), []);
  }
  both('level 7\n');
  read();
  source.restart(1n);
  both('');
  assert.deepEqual(read(), [], 'the series have ended');
  source.close();
});

test('Source.read returns an error when nothing can be read', () => {
  const { write, source } = createPair();
  write('left', '');
  write('right', '');
  const { tables, error } = runAtOnce(source.read());
  source.close();
  assert.deepEqual(tables, []);
  assert.match(String(error), /\/left: expected text, found none$/);
});

test('Source.check leaves out an impossible value and warns once', () => {
  const { write, source, log } = createPair();
  write('left', 'level 101\n');
  const readings = [runAtOnce(source.read()), runAtOnce(source.read())].map(
    ({ tables }) => valuesOf(tables)[0],
  );
  source.close();
  assert.deepEqual(readings, [
    ['left', NaN],
    ['left', NaN],
  ]);
  assert.equal(log.lines.length, 1);
  assert.match(log.lines[0], /^warn: Cannot use .*\/left: expected 0 to 100, found 101/);
});

test('Source.file returns the same file for the same path', () => {
  const { folder, source } = createPair();
  assert.equal(source.file(join(folder, 'left')), source.file(join(folder, 'left')));
});

const countFds = () => readdirSync('/proc/self/fd').length;

test('Source.forget closes a file, and the next one with its path is another object', () => {
  const { folder, source } = createPair();
  const path = join(folder, 'left');
  const file = source.file(path);
  const before = countFds();
  file.read();
  assert.equal(countFds(), before + 1);
  source.forget(path);
  assert.equal(countFds(), before);
  assert.notEqual(source.file(path), file);
});

test('SourceScraper ends the series after a clock break, and reads a source although another fails', () => {
  const { write, source } = createPair();
  const broken = new Source(createFakeContext(), () => () => {
    throw new Error('broken');
  });
  const scraper = new SourceScraper([broken, source], () => 5n);
  const tables: Table[] = [];
  const scrape = (breaks: number): void => {
    for (const table of scraper.scrape(breaks)) if (table !== undefined) tables.push(table);
  };
  assert.throws(() => scrape(0), /^Error: broken$/);
  const first = tables.splice(0);
  assert.deepEqual(valuesOf(first), [
    ['left', 1],
    ['right', 2],
  ]);
  write('left', 'level 9\n');
  assert.throws(() => scrape(1), /^Error: broken$/);
  const [leftEnd, rightEnd, left] = tables;
  assert.deepEqual(
    [leftEnd, rightEnd].map(({ ended }) => ended?.[0]),
    first.map(({ series }) => series[0]),
  );
  assert.deepEqual(valuesOf([left]), [['left', 9]]);
  assert.notEqual(left.series[0], first[0].series[0]);
  scraper.close();
});

const named = (folder: string): readonly NamedSource[] => [
  { name: 'pair', remedy: 'load the module', describe: describePair(folder) },
  { name: 'nothing', remedy: 'look elsewhere', describe: describePair(join(folder, 'nowhere')) },
];

test('probeSources lists the readable sources, and a remedy for the others', () => {
  const { folder, write, log } = createPair();
  write('right', 'nonsense\n');
  write('left', 'level 101\n');
  const { available, found, remedies } = probeSources(named(folder), createFakeContext({ log }));
  assert.deepEqual([available, found], [true, 'procfs and sysfs: pair']);
  assert.deepEqual(
    remedies.map(({ missing, command }) => [missing.replaceAll(folder, ''), command]),
    [
      [
        'pair: Cannot parse /right: expected a line that begins with "level " and has a number, found none',
        'load the module',
      ],
      ['nothing: Cannot read /nowhere/left: ENOENT', 'look elsewhere'],
    ],
  );
  assert.deepEqual(log.lines, [], 'reading reports it later');
  const nowhere = probeSources(named(join(folder, 'nowhere')), createFakeContext());
  assert.deepEqual([nowhere.available, nowhere.found], [false, 'none of pair, nothing']);
});

test('probeSources has no remedy for sources that a machine does not have, but reports why others cannot be read', () => {
  const { folder, write } = createPair();
  write('right', 'nonsense\n');
  const sources = [
    { name: 'pair', describe: describePair(folder) },
    { name: 'nothing', describe: describePair(join(folder, 'nowhere')) },
  ];
  const { found, remedies } = probeSources(sources, createFakeContext());
  assert.equal(
    found.replaceAll(folder, ''),
    'procfs and sysfs: pair; ' +
      'pair: Cannot parse /right: expected a line that begins with "level " and has a number, found none; ' +
      'not present on this machine: nothing',
  );
  assert.deepEqual(remedies, []);
});

test('createSourceReceiver leaves out missing sources, and logs it once', async () => {
  const { folder } = createPair();
  rmSync(join(folder, 'right'));
  const log = createLogCollector();
  const next = createTableCollector();
  const context = createFakeContext({ log });
  const receiver = createSourceReceiver({ intervalMs: 1000, context, next, sources: named(folder) });
  await receiver.start();
  await receiver.flush?.();
  await receiver.shutdown();
  assert.deepEqual(
    log.lines.map((line) => line.replaceAll(folder, '')),
    [
      'info: Leaving out a part of pair: Cannot read /right: ENOENT',
      'info: Leaving out nothing: Cannot read /nowhere/left: ENOENT',
    ],
  );
  assert.deepEqual(
    next.last('level').map(({ value }) => value),
    [1],
  );
});

test('createSourceReceiver does not start without sources', async () => {
  const sources = named(join(createFolder(), 'nowhere'));
  const next = createTableCollector();
  const receiver = createSourceReceiver({ intervalMs: 1000, context: createFakeContext(), next, sources });
  await assert.rejects(async () => receiver.start(), { name: 'UnavailableError' });
  await receiver.shutdown();
});
