import { runAtOnce } from '../../src/linux/slices.js';
import type { HistogramTable } from '../../src/model/histogram-table.js';
import type { Table } from '../../src/model/table.js';
import { PageParser, type PageFormat } from './page-parser.js';
import { PageSeries, type PreparedPage, type SeriesRules } from './page-series.js';

/** For tests: reads the pages of one target. */
export interface PageReader {
  readonly parser: PageParser;
  readonly series: PageSeries;
  /** Reads a page at a Unix time in seconds, in chunks of several bytes. @returns its tables */
  read(text: string, atSeconds?: number, chunkBytes?: number): readonly Table[];
  /** Reads a page in the same way, but discards its tables, like those of a page that is too late. */
  prepare(text: string, atSeconds?: number, chunkBytes?: number): PreparedPage;
  /** The histograms of the last page. */
  readonly histograms: readonly HistogramTable[];
}

export function createPageReader(
  format: PageFormat = 'classic',
  rules: Partial<SeriesRules> = {},
): PageReader {
  const series = new PageSeries({
    target: new Map([
      ['job', 'test'],
      ['instance', 'node1:9100'],
    ]),
    scheme: 'http',
    honorsLabels: false,
    change: (labels) => labels,
    usesProcessStart: false,
    splitsHistograms: true,
    ...rules,
  });
  const parser = new PageParser(series);
  let pages = 0;
  let histograms: readonly HistogramTable[] = [];
  const prepare: PageReader['prepare'] = (text, atSeconds = 1_700_000_000 + 10 * pages, chunkBytes = 7) => {
    pages++;
    runAtOnce(parser.begin(format));
    const bytes = Buffer.from(text);
    for (let from = 0; from < bytes.length; from += chunkBytes)
      parser.feed(bytes.subarray(from, from + chunkBytes));
    runAtOnce(parser.finish());
    const { values, stamps, hasStamps } = parser;
    const steps = series.prepare({
      at: BigInt(Math.round(atSeconds * 1000)) * 1_000_000n,
      values,
      stamps: hasStamps ? stamps : undefined,
      stampUnitMs: format === 'openmetrics' ? 1000 : 1,
    });
    return runAtOnce(steps);
  };
  return {
    parser,
    series,
    get histograms() {
      return histograms;
    },
    prepare,
    read(...page) {
      const prepared = prepare(...page);
      histograms = series.createHistograms(prepared);
      return series.createTables(prepared);
    },
  };
}

/** For tests: formats `name{label="value"}` with the value of the last row that has it. */
export function showValues(tables: readonly Table[]): Record<string, number> {
  const shown = new Map<string, number>();
  for (const { series, values } of tables) {
    for (const [i, { metric, attributes }] of series.entries()) {
      const labels = Object.entries(attributes).map(([label, value]) => `${label}="${value}"`);
      shown.set(`${metric.name}${labels.length > 0 ? `{${labels.join()}}` : ''}`, values[i] ?? NaN);
    }
  }
  return Object.fromEntries(shown);
}
