import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { factory } from '../../exporters/kafka/factory.js';
import { readingAt, rowOf, startExporter } from '../../src/export/exporter.fixture.js';
import { decodePoints } from '../../src/otlp/decode-request.fixture.js';
import { simulateTables } from '../../src/simulation/simulated-tables.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { expectPoints } from './expected-values.js';
import { consumeTopic, plainAddress, secureAddress, startKafka, user } from './kafka-server.js';
import { isWithout } from './peers.js';
import { assertSamePoints, textOf } from './points.js';

const skip = isWithout('kafka');
const brokers = [plainAddress];

test("Kafka's own consumer reads every point of a simulated machine, by resource", { skip }, async (t) => {
  await startKafka(t);
  const { tables } = simulateTables();
  const expected = expectPoints(tables);
  const settings = {
    brokers,
    metrics: { topic: 'energy' },
    partition_metrics_by_resource_attributes: true,
    producer: { compression: 'gzip', required_acks: -1 },
  };
  const { exporter, read } = await startExporter(t, factory, settings);
  for (const table of tables) exporter.consume(table);
  await until(async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'] === expected.length);
  const messages = consumeTopic(t, 'energy');
  // While the topic is being created, some of its partitions refuse messages, and all messages are sent again.
  const points = () => {
    const found = messages().flatMap(({ value }) => decodePoints(value));
    return [...new Map(found.map((point) => [textOf(point), point])).values()];
  };
  await until(() => points().length >= expected.length);
  t.diagnostic(`${expected.length} points in ${messages().length} messages`);
  assertSamePoints(points(), expected);
  const partitions = new Map<string, Set<number>>();
  for (const { key, partition } of messages()) {
    const known = partitions.get(key) ?? new Set();
    partitions.set(key, known.add(partition));
  }
  assert.ok(partitions.size > 1);
  assert.ok([...partitions.values()].every(({ size }) => size === 1));
});

test(
  'Kafka takes messages over TLS from a user with a password, in halves where they are too large',
  { skip },
  async (t) => {
    const { certFile } = await startKafka(t);
    const file = join(createFolder(), 'password');
    writeFileSync(file, user.password);
    const sasl = { mechanism: 'SCRAM-SHA-512', username: user.username, password_file: file };
    const settings = { brokers: [secureAddress], tls: { ca_file: certFile }, auth: { sasl } };
    const { exporter, log, read } = await startExporter(t, factory, settings);
    exporter.consume(rowOf(4000));
    await until(async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'] === 4000);
    const messages = consumeTopic(t, 'otlp_metrics');
    const values = () => messages().flatMap(({ value }) => decodePoints(value).map((point) => point.value));
    await until(() => values().length >= 4000);
    const ids = Array.from({ length: 4000 }, (_, id) => id);
    assert.deepEqual(
      values()
        .map(Number)
        .toSorted((a, b) => a - b),
      ids,
    );
    assert.match(log.lines.join('\n'), /MESSAGE_TOO_LARGE: .*Sending them in halves/u);
  },
);

test('Kafka receives messages that were sent while its broker was down', { skip }, async (t) => {
  const server = await startKafka(t);
  const { exporter, log, read } = await startExporter(t, factory, { brokers, timeout: '2s' });
  const sent = async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'];
  exporter.consume(readingAt(1, 1));
  await until(async () => (await sent()) === 1);
  await server.kill();
  log.lines.length = 0;
  exporter.consume(readingAt(2, 2));
  await until(() => log.lines.length > 0);
  assert.match(log.lines[0] ?? '', /^warn: Cannot export to topic otlp_metrics of Kafka/u);
  server.restart();
  await until(async () => (await sent()) === 2);
  const messages = consumeTopic(t, 'otlp_metrics');
  await until(() => messages().length === 2);
  const values = messages().flatMap(({ value }) => decodePoints(value).map((point) => point.value));
  assert.deepEqual(
    values.map(Number).toSorted((a, b) => a - b),
    [1, 2],
  );
});
