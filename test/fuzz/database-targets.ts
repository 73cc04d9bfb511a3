import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HistogramTable } from '../../src/model/histogram-table.js';
import type { Table } from '../../src/model/table.js';
import { PointStream, type Sink } from '../../src/recording/decoder.js';
import { parseHistogramRequest } from '../../src/sql/histogram-request.js';
import { decodeSeries } from '../../src/sql/series-record.js';
import { parseRequest } from '../../src/sql/sql-request.js';
import { openSqlite } from '../../src/sql/sqlite.js';
import { SqliteBatcher } from '../../src/sql/sqlite-batcher.js';
import { SqliteDecoder } from '../../src/sql/sqlite-decoder.js';
import { SqliteFile } from '../../src/sql/sqlite-file.js';
import { noSqlite } from '../../src/sql/sqlite.fixture.js';
import type { Target } from './target.js';

interface Tables {
  readonly table: Table;
  readonly histograms: HistogramTable;
}

/** Requests to databases that were stored, and files of SQLite where it is available. @param folder for these files */
export function createDatabaseTargets(tables: Tables, folder: string, sink: Sink): readonly Target[] {
  const [numbers = Buffer.alloc(0), histograms = Buffer.alloc(0)] = encodeRequests(tables);
  const requests: readonly Target[] = [
    {
      name: 'request to a database',
      examples: [numbers],
      parse: (input) => parseRequest(input).series.map(decodeSeries),
    },
    {
      name: 'request of histograms to a database',
      examples: [histograms],
      parse: (input) => parseHistogramRequest(input).map(({ series }) => decodeSeries(series)),
    },
  ];
  return noSqlite === false
    ? [...requests, createSqliteTarget([numbers, histograms], folder, sink)]
    : requests;
}

/** One for each kind of table. */
function encodeRequests({ table, histograms }: Tables): readonly Buffer[] {
  const requests: Buffer[] = [];
  const batcher = new SqliteBatcher({ max_points: 100, max_bytes: 2 ** 20 }, ({ bytes }) => {
    requests.push(Buffer.from(bytes));
  });
  batcher.add(table);
  batcher.addHistograms(histograms);
  batcher.flush();
  return requests;
}

function createSqliteTarget(requests: readonly Buffer[], folder: string, sink: Sink): Target {
  const path = join(folder, 'fuzz.db');
  const file = new SqliteFile({ path, maxAgeMs: 0, synchronous: 'normal', busyTimeoutMs: 0 });
  for (const request of requests) file.write(request);
  file.close();
  return {
    name: 'SQLite',
    examples: [readFileSync(path)],
    parse(input) {
      writeFileSync(path, input);
      const database = openSqlite(path, { isReadOnly: true });
      try {
        const stream = new PointStream(sink);
        for (const _ of new SqliteDecoder(sink, stream).read(database));
        stream.flush();
      } finally {
        database.close();
      }
    },
  };
}
