import assert from 'node:assert/strict';
import { test } from 'node:test';
import { energy, readingAt, startExporter } from '../../src/export/exporter.fixture.js';
import { openHttpBackend, type Answer } from '../../src/http/http-backend.fixture.js';
import { checkDamagedRequest } from '../../src/sql/damaged-request.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { encodeRows } from './rows.js';

const found: Answer = { body: '1\n' };

function textOf(bytes: Buffer): string {
  return bytes.toString('latin1');
}

test('clickhouse creates missing tables, then writes series and points', async (t) => {
  const backend = await openHttpBackend(t, {
    answer: (_, bytes) => (textOf(bytes).startsWith('EXISTS') ? { body: '0\n' } : {}),
  });
  const { exporter, log } = await startExporter(t, factory, { endpoint: backend.url, database: 'it`s' });
  exporter.consume(readingAt(1, 1));
  await until(() => exporter.readBacklog?.() === 0);
  exporter.consume({ ...readingAt(2, 2), ended: [energy] });
  await exporter.shutdown();
  assert.deepEqual(log.lines, []);
  const firstWords = backend.received.map(({ bytes }) => textOf(bytes).split(' ').slice(0, 3).join(' '));
  assert.deepEqual(firstWords, [
    'EXISTS VIEW `it\\`s`.measurements',
    'CREATE DATABASE IF',
    'CREATE TABLE IF',
    'CREATE TABLE IF',
    'CREATE VIEW IF',
    'INSERT INTO `it\\`s`.series',
    'INSERT INTO `it\\`s`.points',
    'INSERT INTO `it\\`s`.series',
    'INSERT INTO `it\\`s`.points',
  ]);
  assert.match(
    textOf(backend.received[5].bytes),
    /"metric":"hw\.energy".*"start_time":"1795000000\.000000001","end_time":null,/u,
  );
  assert.match(textOf(backend.received[7].bytes), /"end_time":"1795000002\.000000001","version":\d+\}\n$/u);
});

test('clickhouse sends the same bytes again after transient exceptions and gives up after permanent ones', async (t) => {
  for (const [code, isPassing] of [
    [252, true],
    [241, true],
    [60, false],
    [516, true],
  ] as const) {
    let refusals = 0;
    const answer = (_: number, bytes: Buffer): Answer => {
      if (!textOf(bytes).includes('RowBinary')) return found;
      return refusals++ === 0 ? { status: 500, body: `Code: ${code}. DB::Exception: no` } : {};
    };
    const backend = await openHttpBackend(t, { answer });
    const { exporter, log } = await startExporter(t, factory, { endpoint: backend.url });
    exporter.consume(readingAt(1, 1));
    await until(() => exporter.readBacklog?.() === 0);
    const inserts = backend.received.filter(({ bytes }) => textOf(bytes).includes('RowBinary'));
    assert.equal(inserts.length, isPassing ? 2 : 1);
    assert.deepEqual(inserts.at(0)?.bytes, inserts.at(-1)?.bytes);
    assert.match(textOf(inserts[0].bytes), /insert_deduplication_token = '[\da-f]{32}'/u);
    assert.ok(log.lines[0]?.includes(`Code: ${code}. DB::Exception: no`), log.lines[0]);
  }
});

test('clickhouse drops a damaged request at once, and counts it', async (t) => {
  const backend = await openHttpBackend(t, { answer: () => found });
  await checkDamagedRequest(t, factory, { endpoint: backend.url });
});

test('clickhouse lets the server batch inserts when configured', async (t) => {
  const backend = await openHttpBackend(t, { answer: () => found });
  const { exporter } = await startExporter(t, factory, { endpoint: backend.url, async_insert: true });
  exporter.consume(readingAt(1, 1));
  await exporter.shutdown();
  assert.match(
    textOf(backend.received.at(-1)?.bytes ?? Buffer.alloc(0)),
    /SETTINGS async_insert = 1, wait_for_async_insert = 1, /u,
  );
});

test('encodeRows writes RowBinary, with gaps as NULL', () => {
  const bytes = encodeRows('ü\n', {
    points: 2,
    ends: 0,
    times: BigInt64Array.of(3n, 4n),
    values: Float64Array.of(NaN, 1.5),
    indexes: Uint32Array.of(0, 0),
    series: [{ id: 1n, text: Buffer.alloc(0) }],
  });
  const rows =
    'c3bc0a 0100000000000000 0300000000000000 01 0100000000000000 0400000000000000 00 000000000000f83f';
  assert.equal(bytes.toString('hex'), rows.replaceAll(' ', ''));
});
