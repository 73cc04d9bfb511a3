import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { bulkFormat } from '../exporters/elasticsearch/documents.js';
import { lineProtocol } from '../exporters/influxdb/line-protocol.js';
import { divideByResource } from '../exporters/kafka/messages.js';
import { createPointFormat } from '../exporters/kwollect/points.js';
import { createDocument } from '../exporters/mongodb/documents.js';
import { PointReader, queueFormat } from '../exporters/mongodb/queued-points.js';
import { countSamples } from '../exporters/prometheus_remote_write/divide-request.js';
import { RemoteWriteEncoder } from '../exporters/prometheus_remote_write/encoder.js';
import { LabelTable } from '../exporters/prometheus_remote_write/label-table.js';
import { jsonPoints } from '../exporters/webhook/json-points.js';
import type { QueuedRequest } from '../src/component/queue-storage.js';
import { frameLines } from '../src/export/json-array.js';
import { createLineParts, type LineFormat } from '../src/export/line-batcher.js';
import { requestLimits, type Encoder } from '../src/export/queued-exporter.js';
import type { Table } from '../src/model/table.js';
import { createBatcher } from '../src/otlp/batcher.js';
import { compare, median, type Benchmark, type Result } from './benchmark.js';
import { createTable, shapes } from './encoder.js';

const [warmUps, rounds] = [3, 9];
const batch = { max_points: 8192, max_bytes: 16 * 2 ** 20 };

/** Main-thread CPU time per point of exporters of documents and messages, against JSON.stringify. */
export const documents: Benchmark = {
  name: 'documents',
  async measure() {
    const driver = await import('mongodb');
    const insert = ({ bytes }: QueuedRequest) => {
      const { BSON } = driver;
      for (const point of new PointReader(bytes).take(Infinity))
        BSON.serialize(createDocument(driver, point, true));
    };
    const results: Result[] = [];
    for (const shape of shapes) {
      const table = createTable(shape);
      const queued = await createRemoteWriter(table, () => {});
      const confirmed = await createRemoteWriter(table, ({ bytes }) => void countSamples(bytes));
      const reference = timePerPoint(table, () => stringify(table));
      const measure = (what: string, run: () => void): Result =>
        compare(`${what}: ${shape.what}`, 'ns', { ours: timePerPoint(table, run), reference });
      results.push(
        measure('elasticsearch', encodeWith(table, bulkFormat)),
        measure(
          'kwollect',
          encodeWith(table, createPointFormat({ hostname: 'a', append_unit_to_metric_name: true })),
        ),
        measure('influxdb', encodeWith(table, lineProtocol)),
        measure(
          'webhook',
          encodeWith(table, jsonPoints, ({ bytes }) => void frameLines(bytes)),
        ),
        measure('prometheus_remote_write, until queued', encodeRising(table, queued)),
        measure('prometheus_remote_write, until confirmed', encodeRising(table, confirmed)),
        measure('mongodb, until queued', encodeWith(table, queueFormat)),
        measure('mongodb, until its thread has it', encodeWith(table, queueFormat, createHandOver())),
        measure('mongodb, with what its thread does', encodeWith(table, queueFormat, insert)),
        measure(
          'kafka, by resource',
          encode(
            table,
            createBatcher(batch, ({ bytes }) => void divideByResource(bytes)),
          ),
        ),
      );
    }
    return results;
  },
};

/** Copies and transfers a request as `openThreadedSender` does. */
function createHandOver(): (request: QueuedRequest) => void {
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  port2.unref();
  return ({ bytes, points }) => {
    const copy = new Uint8Array(bytes);
    port1.postMessage({ bytes: copy, points }, [copy.buffer]);
    receiveMessageOnPort(port2);
  };
}

/** Excludes compression, the conversion to 1.0 and the description of new series: they run in slices. */
async function createRemoteWriter(table: Table, take: (request: QueuedRequest) => void): Promise<Encoder> {
  const labels = new LabelTable({
    identityLabels: [],
    externalLabels: {},
    host: {},
    common: {},
    warn(message) {
      throw new Error(message);
    },
  });
  const limits = requestLimits(batch);
  const encoder = new RemoteWriteEncoder(
    {
      labels,
      limits,
      hasTargetInfo: true,
      hasNativeHistograms: () => true,
      nowMs: () => performance.now(),
      fail(error) {
        throw error;
      },
    },
    take,
  );
  encoder.add(table);
  await encoder.settle();
  return encoder;
}

/** With later instants each time: the encoder drops samples that are not newer. */
function encodeRising(table: Table, encoder: Encoder): () => void {
  const { offsets } = table;
  let round = 0n;
  const spread = offsets.map((_, row) => row * 1e6);
  return () => {
    round += 1n;
    encoder.add({ ...table, offsets: spread, epoch: table.epoch + round * 10_000_000_000n });
    encoder.flush();
  };
}

function encodeWith(
  table: Table,
  format: LineFormat,
  take: (request: QueuedRequest) => void = () => {},
): () => void {
  const encoder = createLineParts(format, batch).createEncoder((request) => {
    take(request);
    request.release?.();
  });
  return encode(table, encoder);
}

function encode(table: Table, encoder: Encoder): () => void {
  return () => {
    encoder.add(table);
    encoder.flush();
  };
}

/** A document for each point, written without optimisation. */
function stringify({ series, epoch, offsets, values }: Table): void {
  for (const [row, offset] of offsets.entries()) {
    for (const [column, { metric, resource, attributes }] of series.entries()) {
      const time = String(epoch + BigInt(offset));
      const value = values[row * series.length + column];
      JSON.stringify({ time, metric: metric.name, unit: metric.unit, resource, attributes, value });
    }
  }
}

function timePerPoint({ values }: Table, run: () => void): number {
  const times: number[] = [];
  for (let round = -warmUps; round < rounds; round += 1) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    if (round >= 0) times.push((1000 * (user + system)) / values.length);
  }
  return median(times);
}
