import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Table } from '../../src/model/table.js';
import { PointStream, type Sink } from '../../src/recording/decoder.js';
import { decodeSeries } from '../../src/sql/series-record.js';
import { SqlBatcher } from '../../src/sql/sql-batcher.js';
import { parseRequest } from '../../src/sql/sql-request.js';
import { openSqlite } from '../../src/sql/sqlite.js';
import { SqliteDecoder } from '../../src/sql/sqlite-decoder.js';
import { SqliteFile } from '../../src/sql/sqlite-file.js';
import { noSqlite } from '../../src/sql/sqlite.fixture.js';
import type { Target } from './target.js';

/** Requests to databases that were stored, and files of SQLite where it is there. @param folder for these files */
export function createDatabaseTargets(table: Table, folder: string, sink: Sink): readonly Target[] {
  const request = encodeRequest(table);
  const requests: Target = {
    name: 'request to a database',
    examples: [request],
    parse: (input) => parseRequest(input).series.map(decodeSeries),
  };
  return noSqlite === false ? [requests, createSqliteTarget(request, folder, sink)] : [requests];
}

function encodeRequest(table: Table): Buffer {
  const requests: Buffer[] = [];
  const batcher = new SqlBatcher({ max_points: 100, max_bytes: 2 ** 20 }, ({ bytes }) => {
    requests.push(Buffer.from(bytes));
  });
  batcher.add(table);
  batcher.flush();
  return Buffer.concat(requests);
}

function createSqliteTarget(request: Buffer, folder: string, sink: Sink): Target {
  const path = join(folder, 'fuzz.db');
  const file = new SqliteFile({ path, maxAgeMs: 0, synchronous: 'normal', busyTimeoutMs: 0 });
  file.write(request);
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
