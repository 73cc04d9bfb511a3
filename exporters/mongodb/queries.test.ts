import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runInThisContext } from 'node:vm';
import { aggregate } from 'mingo';
import { BSON } from 'mongodb';
import { energy, host, startExporter } from '../../src/export/exporter.fixture.js';
import { processEnergy } from '../../src/model/ledger-metrics.js';
import type { Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { factory } from './factory.js';
import { openMongoServer } from './mongo-server.fixture.js';

type Documents = Parameters<typeof aggregate>[0];
type Pipeline = Parameters<typeof aggregate>[1];

/** The queries of the README, in order. */
function readQueries(): readonly ((documents: Documents) => readonly unknown[])[] {
  const page = readFileSync(new URL('../../../exporters/mongodb/README.md', import.meta.url), 'utf8');
  const queries = page.slice(page.indexOf('## Queries'), page.indexOf('## Needs'));
  return [...queries.matchAll(/```js\n(?<text>.*?);\n```/gsu)].map(({ groups }) => {
    // The README has it in the syntax of the MongoDB shell.
    const read = runInThisContext(`(db) => ${groups?.['text']}`) as (db: object) => Pipeline;
    const pipeline = read({ metrics: { aggregate: (stages: Pipeline) => stages } });
    return (documents) => aggregate(documents, pipeline);
  });
}

const second = 1_000_000_000n;
/** The start of a minute half an hour ago. */
const minute = (BigInt(Date.now()) / 60_000n - 30n) * 60n * second;

function createProcess(pid: number, name: string): Series {
  const attributes = { ...host.attributes, 'process.pid': pid, 'process.executable.name': name };
  return { metric: processEnergy, resource: { attributes }, attributes: {}, start: minute };
}

/** A package that is reset, and three processes: seconds after `minute` and joules. */
const readings: readonly (readonly [Series, number, number])[] = [
  [energy, -7200, 5],
  [energy, 5, 100],
  [energy, 25, 200],
  [energy, 65, 260],
  [energy, 95, 350],
  [{ ...energy, start: minute }, 125, 10],
  [{ ...energy, start: minute }, 135, 40],
  [createProcess(1, 'worker'), 5, 6],
  [createProcess(1, 'worker'), 25, 7],
  [createProcess(2, 'worker'), 25, 5],
  [createProcess(3, 'shell'), 25, 3],
];

test('the queries of the README of mongodb return joules by domain and program, and watts by minute', async (t) => {
  const server = await openMongoServer(t);
  const { exporter } = await startExporter(t, factory, { endpoint: server.endpoint });
  for (const [series, seconds, joules] of readings)
    exporter.consume(createRow([series], minute + BigInt(seconds) * second, Float64Array.of(joules)));
  await exporter.shutdown();
  const documents = server.stored.map((document) => BSON.deserialize(BSON.serialize(document)));
  assert.equal(documents.length, readings.length);

  const [byDomain, byProgram, byMinute] = readQueries();
  const domain = { host: 'node-1', domain: 'package-0' };
  assert.deepEqual(byDomain?.(documents), [
    { ...domain, joules: 250 },
    { ...domain, joules: 30 },
  ]);
  assert.deepEqual(byProgram?.(documents), [
    { _id: 'worker', joules: 12 },
    { _id: 'shell', joules: 3 },
  ]);
  const watts = byMinute?.(documents) as readonly {
    readonly _id: { minute: Date };
    readonly watts: number;
  }[];
  assert.deepEqual(
    watts.map(({ _id, watts: mean }) => [_id.minute.getTime() - Number(minute / 1_000_000n), mean]),
    [
      [0, 5],
      [60_000, 3],
      [120_000, 3],
    ],
  );
});
