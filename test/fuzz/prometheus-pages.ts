import { PageParser } from '../../receivers/prometheus/page-parser.js';
import { PageSeries } from '../../receivers/prometheus/page-series.js';
import { runAtOnce } from '../../src/linux/slices.js';
import { checkHistograms } from '../../src/model/check-histograms.js';
import type { HistogramTable } from '../../src/model/histogram-table.js';

/** Reads a page as the first one of a target, and as its second one. */
export function parsePage(input: Buffer, format: 'classic' | 'openmetrics'): void {
  const series = new PageSeries({
    target: new Map([
      ['job', 'fuzz'],
      ['instance', 'n1:1'],
    ]),
    scheme: 'http',
    honorsLabels: false,
    change: (labels) => labels,
    usesProcessStart: true,
    splitsHistograms: false,
  });
  const parser = new PageParser(series);
  const histograms: HistogramTable[] = [];
  for (let page = 1n; page <= 2n; page++) {
    runAtOnce(parser.begin(format));
    parser.feed(input.subarray(0, input.length >> 1));
    parser.feed(input.subarray(input.length >> 1));
    runAtOnce(parser.finish());
    const { values, stamps } = parser;
    const prepared = runAtOnce(series.prepare({ at: page * 1_000_000_000n, values, stamps, stampUnitMs: 1 }));
    series.createTables(prepared);
    histograms.push(...series.createHistograms(prepared));
  }
  checkHistograms(histograms);
}
