import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric, Series } from '../model/series.js';
import { RecordedSeries } from './recorded-series.js';

const metric: Metric = { name: 'x', unit: 'J', description: '', kind: 'counter', valueType: 'double' };

function recordOf(book: RecordedSeries, more: Partial<Series> = {}): Series {
  return {
    metric: book.metric({ ...metric }),
    resource: book.resource({ 'host.name': 'a' }),
    attributes: book.attributes({ id: 1 }),
    start: 5n,
    ...more,
  };
}

test('RecordedSeries returns one object for equal resources, attributes and metrics, in any order', () => {
  const book = new RecordedSeries();
  assert.equal(book.resource({ a: 1, b: 2 }), book.resource({ b: 2, a: 1 }));
  assert.equal(book.attributes({ a: 1, b: 2 }), book.attributes({ b: 2, a: 1 }));
  assert.equal(book.metric({ ...metric }), book.metric({ ...metric }));
  assert.notEqual(book.resource({ a: 1 }), book.resource({ a: '1' }));
  assert.notEqual(book.metric({ ...metric }), book.metric({ ...metric, unit: 'W' }));
});

test('RecordedSeries returns the same live series until it is closed', () => {
  const book = new RecordedSeries();
  const { series, replaced } = book.open(recordOf(book));
  assert.equal(replaced, undefined);
  assert.equal(book.open(recordOf(book)).series, series);
  assert.equal(book.close(recordOf(book)), series);
  assert.equal(book.close(recordOf(book)), undefined);
  assert.notEqual(book.open(recordOf(book)).series, series);
});

test('RecordedSeries finds the live series equal to a record, or returns the record itself', () => {
  const book = new RecordedSeries();
  const record = recordOf(book);
  assert.equal(book.find(record), record);
  const { series } = book.open(record);
  assert.equal(book.find(recordOf(book)), series);
  const other = recordOf(book, { start: 6n });
  assert.equal(book.find(other), other);
  book.close(record);
  assert.notEqual(book.open(record).series, series);
});

test('RecordedSeries replaces a series by one with another start or kind, and returns it', () => {
  const book = new RecordedSeries();
  const { series: first } = book.open(recordOf(book));
  const { series: second, replaced } = book.open(recordOf(book, { start: 9n }));
  assert.equal(replaced, first);
  assert.equal(second.start, 9n);
  const gauge = recordOf(book, { start: 9n, metric: book.metric({ ...metric, kind: 'gauge' }) });
  assert.equal(book.open(gauge).replaced, second);
});

test('RecordedSeries keeps a series whose points do not show whether it has whole numbers', () => {
  const book = new RecordedSeries();
  const { series } = book.open(recordOf(book));
  const whole = recordOf(book, { metric: book.metric({ ...metric, valueType: 'int' }) });
  assert.deepEqual(book.open(whole), { series, replaced: undefined });
});

test('RecordedSeries closes no series with another start', () => {
  const book = new RecordedSeries();
  const { series } = book.open(recordOf(book));
  assert.equal(book.close(recordOf(book, { start: 6n })), undefined);
  assert.equal(book.open(recordOf(book)).series, series);
});

test('RecordedSeries forgets a resource with its last series, and accepts it again from a caller that kept it', () => {
  const book = new RecordedSeries();
  const kept = book.resource({ pid: 1 });
  const records = ['a', 'b'].map((id) =>
    recordOf(book, { resource: kept, attributes: book.attributes({ id }) }),
  );
  for (const record of records) book.open(record);
  book.close(records[0]);
  assert.equal(book.resource({ pid: 1 }), kept, 'it is forgotten while one of its series lives');
  book.close(records[1]);
  book.open(records[0]);
  assert.equal(book.resource({ pid: 1 }), kept, 'it is not taken back');
  book.close(records[0]);
  assert.notEqual(book.resource({ pid: 1 }), kept, 'it is not forgotten');
});
