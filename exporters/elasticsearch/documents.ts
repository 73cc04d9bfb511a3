import type { LineFormat, SeriesText } from '../../src/export/line-batcher.js';
import { hashSeries } from '../../src/export/series-hash.js';
import type { Series } from '../../src/model/series.js';
import { timeText } from '../../src/recording/cell-text.js';

/**
 * The documents of a bulk request (Elasticsearch's "Bulk API"): for each point the action `create`, and the
 * document. Its id is the same whenever the point is sent again, so that the server refuses a duplicate.
 */
export const bulkFormat: LineFormat = {
  linesPerPoint: 2,
  startRow: (unixNs) => `{"create":{"_id":"${unixNs.toString(36)}-`,
  describeSeries,
  endRow: (unixNs) => `,"@timestamp":"${timeText(unixNs)}"}\n`,
};

function describeSeries(series: Series): SeriesText {
  const { metric, resource, attributes, start } = series;
  const document = {
    metric: metric.name,
    unit: metric.unit,
    kind: metric.kind,
    ...(metric.kind === 'counter' && start !== 0n ? { start: timeText(start) } : {}),
    resource: resource.attributes,
    attributes,
  };
  const fields = JSON.stringify(document).slice(0, -1);
  return { text: `${hashSeries(series)}"}}\n${fields},"value":`, formatValue };
}

/** JSON has no infinity. */
function formatValue(value: number): string | undefined {
  return Number.isFinite(value) ? String(value) : undefined;
}

const lineFeed = 10;

/** Selects the documents with these indices, which ascend, from a bulk request. */
export function selectDocuments(bytes: Uint8Array, numbers: readonly number[]): Uint8Array {
  const selected: Uint8Array[] = [];
  let [at, next] = [0, 0];
  for (const number of numbers) {
    for (; next < number; next += 1) at = endOfDocument(bytes, at);
    const end = endOfDocument(bytes, at);
    selected.push(bytes.subarray(at, end));
    [at, next] = [end, number + 1];
  }
  return Buffer.concat(selected);
}

/** Action and fields are one line each. */
function endOfDocument(bytes: Uint8Array, at: number): number {
  return bytes.indexOf(lineFeed, bytes.indexOf(lineFeed, at) + 1) + 1;
}
