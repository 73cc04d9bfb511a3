import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createLogCollector, createMeterReader } from '../component/fakes.js';
import type { QueuedRequest } from '../component/queue-storage.js';
import { parseSettings } from '../config/settings.js';
import type { Series } from '../model/series.js';
import { createRow, type Table } from '../model/table.js';
import { until } from '../testing/until.js';
import { batchSettings, QueuedExporter, type Encoder } from './queued-exporter.js';
import type { Delivery, Sender } from './request-delivery.js';
import { retrySettings } from './retry.js';
import { sendingQueueSettings } from './sending-queue.js';

const schema = {
  batch: batchSettings,
  sending_queue: sendingQueueSettings,
  retry_on_failure: retrySettings,
};

/** One byte and one point for each value. */
class CountingEncoder implements Encoder {
  readonly #emit: (request: QueuedRequest) => void;
  points = 0;

  constructor(emit: (request: QueuedRequest) => void) {
    this.#emit = emit;
  }

  add({ values }: Table): void {
    this.points += values.length;
  }

  flush(): void {
    const { points } = this;
    this.points = 0;
    if (points > 0) this.#emit({ bytes: new Uint8Array(points), points });
  }
}

const metric = { name: 'm', unit: '1', description: '', kind: 'gauge', valueType: 'double' } as const;

function tableOf(points: number): Table {
  const series = Array.from({ length: points }, (_, id): Series => ({
    metric,
    resource: { attributes: {} },
    attributes: { id },
    start: 0n,
  }));
  return createRow(series, 1n, new Float64Array(points));
}

async function start(send: Sender['send'], settings: Record<string, unknown> = {}) {
  const log = createLogCollector();
  const { meter, read } = createMeterReader();
  const exporter = new QueuedExporter(
    parseSettings(schema, settings),
    createFakeContext({ id: 'x', log, meter }),
    {
      createEncoder: (emit) => new CountingEncoder(emit),
      openSender: () => Promise.resolve({ target: 'http://backend', send, close() {} }),
    },
  );
  assert.equal(exporter.consume(tableOf(1)), false, 'it takes a table before it was started');
  await exporter.start();
  return { exporter, log, read };
}

const taken: Delivery = { rejectedPoints: 0, message: '' };
const never = () => new Promise<never>(() => {});

test('QueuedExporter drops and counts points that its backend does not accept within the time limit of a shutdown', async () => {
  const { exporter, log, read } = await start(never);
  exporter.consume(tableOf(1));
  await exporter.shutdown(10);
  assert.equal((await read())['joulemetry.exporter.dropped{x,shutdown}'], 1);
  assert.match(log.lines.at(-1) ?? '', /Lost 1 points for http:\/\/backend/);
});

test('QueuedExporter sends an incomplete request after batch.flush_timeout, and at the shutdown', async () => {
  const sent: number[] = [];
  const send = ({ points }: QueuedRequest) => (sent.push(points), Promise.resolve(taken));
  const { exporter } = await start(send, { batch: { flush_timeout: '1ms' } });
  exporter.consume(tableOf(2));
  exporter.consume(tableOf(3));
  assert.ok(exporter.readBacklog() > 0);
  await until(() => sent.length > 0);
  assert.deepEqual(sent, [5]);
  assert.equal(exporter.readBacklog(), 0);
  const { exporter: slow } = await start(send, { batch: { flush_timeout: '1h' } });
  slow.consume(tableOf(7));
  await slow.shutdown();
  assert.deepEqual(sent, [5, 7]);
  assert.equal(slow.consume(tableOf(1)), false);
});

test('QueuedExporter also waits for a random part of batch.stagger', async (t) => {
  const sent: number[] = [];
  const send = ({ points }: QueuedRequest) => (sent.push(points), Promise.resolve(taken));
  t.mock.method(Math, 'random', () => 0.25);
  const { exporter } = await start(send, { batch: { flush_timeout: '1s', stagger: '8s' } });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  exporter.consume(tableOf(2));
  t.mock.timers.tick(2999);
  assert.equal(exporter.readBacklog(), 1e-6);
  t.mock.timers.tick(1);
  t.mock.timers.reset();
  await until(() => sent.length > 0);
  await exporter.shutdown();
});

test('QueuedExporter refuses a whole table and counts it when a full request would have no room', async () => {
  const settings = {
    batch: { flush_timeout: '1h', max_bytes: 1024 },
    sending_queue: { queue_bytes: 1500, drop: 'newest' },
  };
  const { exporter, read } = await start(never, settings);
  assert.equal(exporter.consume(tableOf(600)), true);
  await exporter.shutdown(0);
  const full = await start(never, { ...settings, batch: { flush_timeout: '1ms', max_bytes: 1024 } });
  full.exporter.consume(tableOf(600));
  await until(() => !full.exporter.consume(tableOf(1)));
  assert.equal(full.exporter.consume(tableOf(9)), false);
  assert.ok(((await full.read())['joulemetry.exporter.dropped{x,queue_full}'] ?? 0) >= 9);
  assert.equal((await read())['joulemetry.exporter.dropped{x,queue_full}'], undefined);
  await full.exporter.shutdown(0);
});
