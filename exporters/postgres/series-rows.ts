import { timeText } from '../../src/recording/cell-text.js';
import type { KnownSeries, SeriesEnd } from '../../src/sql/known-series.js';
import { createSeriesRow, seriesColumns, type Cell, type ColumnKind } from '../../src/sql/layout.js';

/** With the flag u, this matches only unpaired surrogates. */
const unfit = /[\0\uD800-\uDFFF]/gu;

/** Neither text nor jsonb can hold the character 0 or an unpaired surrogate. */
function cleanText(text: string): string {
  return text.replaceAll(unfit, '\uFFFD');
}

/** The same for a JSON text, which escapes them. A `u` may follow an escaped backslash. */
function cleanJson(json: string): string {
  return json.replaceAll(/\\\\|\\u(?:0000|d[89a-f][\da-f]{2})/giu, (escape) =>
    escape === '\\\\' ? escape : '\uFFFD',
  );
}

/** A cell as JSON that PostgreSQL converts to the type of its column. */
function cellJson(cell: Cell, kind: ColumnKind): string {
  if (cell === null) return 'null';
  if (typeof cell === 'bigint') return kind === 'time' ? JSON.stringify(timeText(cell)) : `${cell}`;
  return kind === 'json' ? cleanJson(cell) : JSON.stringify(cleanText(cell));
}

/** Rows of the series table as a JSON list of objects. */
export function seriesJson(records: ReturnType<KnownSeries['findUnknown']>): string {
  const rows = records.map((record) => {
    const cells = createSeriesRow(record);
    return seriesColumns
      .map(({ name, kind }, i) => `"${name}":${cellJson(cells[i] ?? null, kind)}`)
      .join(',');
  });
  return `[${rows.map((row) => `{${row}}`).join(',')}]`;
}

/** Ids and instants as a JSON list of objects. */
export function endsJson(ends: readonly SeriesEnd[]): string {
  return `[${ends.map(({ id, at }) => `{"id":${id},"time":"${timeText(at)}"}`).join(',')}]`;
}
