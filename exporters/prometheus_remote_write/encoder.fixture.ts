import type { QueuedRequest } from '../../src/component/queue-storage.js';
import { energy } from '../../src/export/exporter.fixture.js';
import type { Series } from '../../src/model/series.js';
import { decodeVersion2, type DecodedSeries } from './decode.fixture.js';
import { RemoteWriteEncoder, type EncoderOptions } from './encoder.js';
import { LabelTable, type LabelOptions } from './label-table.js';

const start = 1_795_000_000_000_000_000n;
export const startMs = 1_795_000_000_000;
const common = { 'service.name': 'joulemetry' };

/** An encoder, and what it wrote. */
export function openEncoder(options: Partial<EncoderOptions> = {}, labelOptions: Partial<LabelOptions> = {}) {
  const requests: QueuedRequest[] = [];
  const warnings: string[] = [];
  const labels = new LabelTable({
    identityLabels: ['process.pid', 'service.name', 'host.name'],
    externalLabels: {},
    host: { 'host.name': 'node-1' },
    common,
    warn: (message) => warnings.push(message),
    ...labelOptions,
  });
  const limits = { maxPoints: 8192, maxBytes: 1e6 };
  const encoder = new RemoteWriteEncoder(
    {
      labels,
      limits,
      hasTargetInfo: false,
      hasNativeHistograms: () => true,
      fail(error) {
        throw error;
      },
      nowMs: () => 0,
      ...options,
    },
    (request) => requests.push(request),
  );
  const take = (): readonly DecodedSeries[] => {
    encoder.flush();
    return requests.splice(0).flatMap(({ bytes }) => decodeVersion2(bytes));
  };
  return { encoder, requests, take, warnings };
}

export const counter: Series = { ...energy, start };
export const gauge: Series = {
  ...counter,
  metric: { name: 'hw.temperature', unit: 'Cel', description: 'Hot', kind: 'gauge', valueType: 'double' },
};
/** Milliseconds after the start. */
export const at = (ms: number) => start + BigInt(ms) * 1_000_000n;
