import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { energy, host, readingAt, rowOf, start, startExporter } from '../../src/export/exporter.fixture.js';
import { testOutages, type Transport } from '../../src/export/shared-cases.fixture.js';
import { createRow } from '../../src/model/table.js';
import { decodePoints } from '../../src/otlp/decode-request.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { openKafkaBroker } from './kafka-broker.fixture.js';

const transport: Transport<typeof factory.schema> = {
  name: 'kafka',
  factory,
  outage: /^warn: Cannot export to topic otlp_metrics of Kafka at .*Keeping data and trying again$/,
  silence: /expected an answer within 200 ms, found none\. Keeping data and trying again/,
  settingsFor: (address) => ({ brokers: [address] }),
  async open(t, { answer, ...options }) {
    const broker = await openKafkaBroker(t, {
      ...options,
      answer: (count) => (answer?.(count).isSilent ? undefined : 0),
    });
    return {
      endpoint: broker.address,
      port: broker.port,
      received: broker.produced,
      takenValues: () => broker.takenValues(),
      close: () => broker.close(),
    };
  },
};

testOutages(transport);

test('kafka sends a request as a message to the topic', async (t) => {
  const broker = await openKafkaBroker(t);
  const { exporter, read } = await startExporter(t, factory, { brokers: [broker.address] });
  exporter.consume(readingAt(1, 42.5));
  await exporter.shutdown();
  assert.deepEqual(
    broker.produced.map(({ topic, acks, key }) => [topic, acks, key?.length ?? 0]),
    [['otlp_metrics', 1, 0]],
  );
  const points = broker.produced.flatMap(({ value }) => decodePoints(value));
  assert.deepEqual(
    points.map(({ resource, name, time, value }) => [resource, name, time, value]),
    [[{ 'host.name': 'node-1' }, 'hw.energy', start + 1_000_000_000n, 42.5]],
  );
  assert.equal((await read())['otelcol_exporter_sent_metric_points{otlp}'], 1);
});

test('kafka compresses, and requests the configured acknowledgements', async (t) => {
  const broker = await openKafkaBroker(t);
  const producer = { compression: 'gzip', required_acks: -1 };
  const settings = { brokers: [broker.address], metrics: { topic: 'energy' }, producer };
  const { exporter } = await startExporter(t, factory, settings);
  exporter.consume(rowOf(1000));
  await exporter.shutdown();
  assert.deepEqual(
    broker.takenValues(),
    Array.from({ length: 1000 }, (_, id) => id),
  );
  assert.deepEqual(
    broker.produced.map(({ topic, acks }) => [topic, acks]),
    [['energy', -1]],
  );
});

test('kafka sends each resource in separate messages to one partition, with the hash of its attributes', async (t) => {
  const broker = await openKafkaBroker(t, { partitions: 7 });
  const settings = { brokers: [broker.address], partition_metrics_by_resource_attributes: true };
  const { exporter } = await startExporter(t, factory, settings);
  const attributes = { 'host.name': 'node-1', 'process.pid': 7 };
  const reversed = { 'process.pid': 7, 'host.name': 'node-1' };
  for (const [i, resource] of [host, { attributes }, { attributes: reversed }].entries()) {
    exporter.consume(createRow([{ ...energy, resource }], start + 1n, Float64Array.of(1)));
    await until(() => broker.produced.length > i);
  }
  const [first, second, third] = broker.produced;
  assert.ok(first && second && third);
  assert.deepEqual([second.key, second.partition], [third.key, third.partition]);
  assert.equal(first.key?.length, 16);
  assert.notDeepEqual(first.key, second.key);
  assert.deepEqual(
    broker.produced.map(({ value }) => decodePoints(value).map(({ resource }) => 'process.pid' in resource)),
    [[false], [true], [true]],
  );
});

test('kafka moves the attributes of workloads to their points, if it is set to', async (t) => {
  const broker = await openKafkaBroker(t);
  const settings = { brokers: [broker.address], identity: 'attributes' };
  const { exporter } = await startExporter(t, factory, settings);
  const resource = { attributes: { 'host.name': 'node-1', 'process.pid': 7 } };
  exporter.consume(createRow([{ ...energy, resource }], start, Float64Array.of(1)));
  await exporter.shutdown();
  const points = broker.produced.flatMap(({ value }) => decodePoints(value));
  assert.deepEqual(
    points.map(({ resource: machine, attributes }) => [machine, attributes['process.pid']]),
    [[{ 'host.name': 'node-1' }, 'int 7']],
  );
});

test('kafka halves messages that the broker rejects as too large, and drops a single point that is too large', async (t) => {
  const tooLarge = 10;
  const broker = await openKafkaBroker(t, { answer: (_, bytes) => (bytes > 3000 ? tooLarge : 0) });
  const { exporter, log, read } = await startExporter(t, factory, { brokers: [broker.address] });
  exporter.consume(rowOf(50));
  await exporter.shutdown();
  assert.deepEqual(
    broker.takenValues(),
    Array.from({ length: 50 }, (_, id) => id),
  );
  assert.match(log.lines[0] ?? '', /Sending them in halves/);
  const strict = await openKafkaBroker(t, { answer: () => tooLarge });
  const refused = await startExporter(t, factory, { brokers: [strict.address] });
  refused.exporter.consume(rowOf(2));
  await refused.exporter.shutdown();
  assert.equal((await refused.read())['joulemetry.exporter.dropped{otlp,rejected}'], 2);
  assert.match(refused.log.lines.join('\n'), /Lost \d points .*MESSAGE_TOO_LARGE/);
  assert.equal((await read())['otelcol_exporter_send_failed_metric_points{otlp}'], 0);
});

test('kafka creates no message larger than max_message_bytes', async (t) => {
  const broker = await openKafkaBroker(t);
  const settings = { brokers: [broker.address], producer: { max_message_bytes: '4KiB' } };
  const { exporter } = await startExporter(t, factory, settings);
  exporter.consume(rowOf(100));
  await exporter.shutdown();
  assert.equal(broker.takenValues().length, 100);
  assert.ok(broker.produced.every(({ value }) => value.length <= 4096));
});

test('kafka retries what a later attempt can deliver, and drops what none can', async (t) => {
  const [notEnoughReplicas, invalidRecord] = [19, 87];
  const broker = await openKafkaBroker(t, { answer: (count) => (count === 1 ? notEnoughReplicas : 0) });
  const { exporter, log } = await startExporter(t, factory, { brokers: [broker.address] });
  exporter.consume(readingAt(1, 5));
  await until(() => broker.takenValues().length === 1);
  assert.match(log.lines[0] ?? '', /^warn: Cannot export to .*NOT_ENOUGH_REPLICAS: .*Keeping data/);
  const strict = await openKafkaBroker(t, { answer: () => invalidRecord });
  const refused = await startExporter(t, factory, { brokers: [strict.address] });
  refused.exporter.consume(readingAt(1, 5));
  await until(() => refused.log.lines.length > 0);
  assert.match(
    refused.log.lines[0] ?? '',
    /^error: Lost 1 points .*: the request was refused for good: INVALID_RECORD/,
  );
});

test('kafka retries over a new connection when there was no answer in time', async (t) => {
  const broker = await openKafkaBroker(t, { answer: (count) => (count === 1 ? undefined : 0) });
  const settings = { brokers: [broker.address], timeout: '300ms' };
  const { exporter, log } = await startExporter(t, factory, settings);
  exporter.consume(readingAt(1, 7));
  await until(() => broker.takenValues().length === 1);
  assert.match(log.lines[0] ?? '', /expected an answer within 300 ms, found none\. Keeping data/);
});

test('kafka needs no answer with required_acks 0', async (t) => {
  const broker = await openKafkaBroker(t);
  const settings = { brokers: [broker.address], producer: { required_acks: 0 } };
  const { exporter } = await startExporter(t, factory, settings);
  exporter.consume(readingAt(1, 7));
  await until(() => broker.takenValues().length === 1);
});

const check = (settings: Record<string, unknown>) => factory.check?.(parseSettings(factory.schema, settings));

test('kafka rejects inconsistent settings', () => {
  assert.deepEqual(check({}), []);
  assert.deepEqual(check({ brokers: [':9092', 'localhost'], metrics: { topic: 'a b' } }), [
    'brokers[0]: expected a host before the port, found ":9092"',
    'brokers[1]: Cannot parse endpoint: expected host:port, [::1]:port or :port, found "localhost"',
    'metrics.topic: expected 1 to 249 letters, digits, ".", "_" or "-", found "a b"',
  ]);
  assert.deepEqual(
    check({ auth: { sasl: { mechanism: 'PLAIN' } }, sending_queue: { queue_bytes: '1KiB' } }),
    [
      'sending_queue.queue_bytes: expected at least batch.max_bytes, 3670016, found 1024',
      'auth.sasl.username: expected a user, found none',
      'auth.sasl: expected password_file or password, found none',
    ],
  );
  assert.deepEqual(check({ auth: { sasl: { username: 'me', password: 'x' } } }), [
    'auth.sasl.mechanism: expected PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, found none',
  ]);
});
