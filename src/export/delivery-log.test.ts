import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogCollector } from '../component/fakes.js';
import { until } from '../testing/until.js';
import { OutageLog } from './delivery-log.js';

const texts = { action: 'export to backend:4317', consequence: 'Keeping data and trying again' };
const hourMs = 3_600_000;

function warning(cause: string): string {
  return `warn: Cannot export to backend:4317: ${cause}. Keeping data and trying again`;
}

test('OutageLog logs each cause of an outage once', () => {
  const log = createLogCollector();
  const outage = new OutageLog(log, texts, hourMs);
  for (const cause of ['ECONNREFUSED', 'ECONNREFUSED', 'HTTP 503', 'HTTP 429', 'ECONNREFUSED', 'HTTP 503']) {
    outage.failed(cause);
  }
  outage.close();
  assert.deepEqual(log.lines, [warning('ECONNREFUSED'), warning('HTTP 503'), warning('HTTP 429')]);
});

test('OutageLog treats causes that differ only in their times as the same', () => {
  const log = createLogCollector();
  const outage = new OutageLog(log, texts, hourMs);
  outage.failed('Protocol error (2026-11-21T21:35:59.453Z)');
  outage.failed('Protocol error (2026-11-21T21:36:04.001Z)');
  outage.failed('Deadline exceeded after 5.002s, name resolution: 0.001s');
  outage.failed('Deadline exceeded after 4.998s, name resolution: 0.003s');
  outage.close();
  assert.equal(log.lines.length, 2);
});

test('OutageLog logs reminders of an outage, with its latest cause, until it ends', async () => {
  const log = createLogCollector();
  const outage = new OutageLog(log, texts, 5);
  outage.failed('ECONNREFUSED');
  outage.failed('HTTP 503');
  await until(() => log.lines.length >= 4);
  for (const line of log.lines.slice(2)) {
    assert.match(line, /^warn: Cannot export to backend:4317: HTTP 503 \(for \d+ s\)\. Keeping data/);
  }
  assert.ok((outage.recovered() ?? -1) > 0);
  const { length } = log.lines;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(log.lines.length, length);
  assert.equal(outage.recovered(), undefined);
});

test('OutageLog logs a limited number of causes between two reminders', () => {
  const log = createLogCollector();
  const outage = new OutageLog(log, texts, hourMs);
  for (let request = 0; request < 1000; request += 1) outage.failed(`refused request ${request}`);
  outage.close();
  assert.equal(log.lines.length, 10);
});

test('OutageLog logs the same cause again in the next outage', () => {
  const log = createLogCollector();
  const outage = new OutageLog(log, texts, hourMs);
  outage.failed('ECONNREFUSED');
  outage.recovered();
  outage.failed('ECONNREFUSED');
  outage.close();
  assert.deepEqual(log.lines, [warning('ECONNREFUSED'), warning('ECONNREFUSED')]);
});
