import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeError } from '../errors.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import type { SqliteDatabase, SqliteOptions } from './sqlite-database.js';
import { openWithLibrary } from './sqlite-library.js';
import { openWithNode } from './sqlite-node.js';

type Open = (path: string, options: SqliteOptions) => SqliteDatabase | undefined;

/** Why a binding cannot be tested; false if it can. */
function findObstacle(open: Open): string | false {
  try {
    const database = open(':memory:', {});
    database?.close();
    return database === undefined && 'this Node has no node:sqlite';
  } catch (error) {
    return describeError(error);
  }
}

const bindings: Readonly<Record<string, Open>> = { 'node:sqlite': openWithNode, libsqlite3: openWithLibrary };

for (const [name, open] of Object.entries(bindings)) {
  const skip = findObstacle(open);
  const openNew = () => {
    const path = join(createFolder(), 'a.db');
    const database = open(path, {});
    assert.ok(database);
    return { path, database };
  };

  test(`${name} restores values exactly`, { skip }, () => {
    const { path, database } = openNew();
    database.execute('CREATE TABLE a (x, y, z); CREATE TABLE b (x); -- ü\n');
    const insert = database.prepare('INSERT INTO a VALUES (?, ?, ?)');
    const values = [
      [2n ** 63n - 1n, -(2n ** 63n), 0n],
      [5e-324, Infinity, 1.7976931348623157e308],
      ['', 'ü😀x', null],
      [3, 0.1, 2 ** 60],
    ] as const;
    for (const row of values) insert.run(...row);
    insert.run(-0, NaN, 1n);
    database.close();
    database.close();
    const again = open(path, { isReadOnly: true });
    const select = again?.prepare('SELECT x, y, z FROM a WHERE x IS NOT ? ORDER BY rowid');
    const rows = [...(select?.rows('absent') ?? [])];
    assert.deepEqual(rows.slice(0, -1), values);
    assert.deepEqual(rows.at(-1), [-0, null, 1n]);
    // A loop that ends early must leave the statement usable for the next one.
    for (const _ of select?.rows('absent') ?? []) break;
    assert.equal([...(select?.rows(3) ?? [])].length, 4);
    again?.close();
  });

  test(`${name} reports errors with their code`, { skip }, () => {
    const { path, database } = openNew();
    assert.throws(
      () => database.execute('SELECT * FROM b'),
      /^SqliteError: no such table: b \(SQLite error 1\)$/u,
    );
    assert.throws(() => database.prepare('SELEC'), { code: 1 });
    database.execute('CREATE TABLE a (x PRIMARY KEY) WITHOUT ROWID');
    const insert = database.prepare('INSERT INTO a VALUES (?)');
    insert.run(1n);
    assert.throws(() => insert.run(1n), { code: 19 });
    insert.run(2n);
    database.execute('BEGIN IMMEDIATE');
    const other = open(path, {});
    assert.throws(() => other?.execute('BEGIN IMMEDIATE'), { code: 5 });
    other?.close();
    database.close();
    const readOnly = open(path, { isReadOnly: true });
    assert.throws(() => readOnly?.execute('DELETE FROM a'), { code: 8 });
    readOnly?.close();
    writeFileSync(path, 'no database, but as long as its header would be'.repeat(10));
    const broken = open(path, {});
    assert.throws(() => broken?.execute('PRAGMA journal_mode = WAL'), { code: 26 });
    broken?.close();
    assert.throws(() => open('/nowhere/a.db', {}), { code: 14 });
  });
}
