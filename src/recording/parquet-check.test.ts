import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ColumnMetaData, FileMetaData } from 'hyparquet';
import { checkMetadata, orDamaged } from './parquet-check.js';

function columnOf(changes: Partial<ColumnMetaData> = {}): ColumnMetaData {
  return {
    type: 'DOUBLE',
    encodings: ['PLAIN'],
    path_in_schema: ['value'],
    codec: 'SNAPPY',
    num_values: 3n,
    total_uncompressed_size: 10n,
    total_compressed_size: 10n,
    data_page_offset: 4n,
    ...changes,
  };
}

function fileOf(columns: readonly (ColumnMetaData | undefined)[], rows = 3n, total = rows): FileMetaData {
  const group = {
    columns: columns.map((column) => ({ file_offset: 0n, ...(column && { meta_data: column }) })),
    total_byte_size: 10n,
    num_rows: rows,
  };
  return { version: 2, schema: [], num_rows: total, row_groups: [group], metadata_length: 1 };
}

const check = (file: FileMetaData, bytes = 14) => checkMetadata(file, bytes);

test('checkMetadata accepts columns within the file, up to its last byte', () => {
  check(fileOf([columnOf()]));
  check(fileOf([]));
  check({ ...fileOf([], 0n), row_groups: [] });
  check(fileOf([columnOf({ dictionary_page_offset: 4n, data_page_offset: 9n })]));
});

test('checkMetadata refuses columns that reach beyond the file, or into its first bytes', () => {
  for (const [column, found] of [
    [columnOf({ total_compressed_size: 11n }), 'a column from byte 4 to 15 of 14'],
    [columnOf({ data_page_offset: 3n }), 'a column from byte 3 to 13 of 14'],
    [columnOf({ total_compressed_size: 0n }), 'a column from byte 4 to 4 of 14'],
    [columnOf({ total_compressed_size: -1n }), 'a column from byte 4 to 3 of 14'],
    [columnOf({ dictionary_page_offset: 3n, data_page_offset: 9n }), 'a column from byte 3 to 13 of 14'],
  ] as const) {
    assert.throws(() => check(fileOf([column])), { message: `expected a Parquet file, found ${found}` });
  }
});

test('checkMetadata compares rows with the values of each column', () => {
  for (const values of [2n, 4n, -1n]) {
    const message = `expected a Parquet file, found ${values} values in a column of 3 rows`;
    assert.throws(() => check(fileOf([columnOf({ num_values: values })])), { message });
  }
  assert.throws(() => check(fileOf([undefined])), {
    message: 'expected a Parquet file, found damaged metadata',
  });
});

test('checkMetadata allows lists more values than rows, up to the largest row group', () => {
  const path = ['bounds', 'list', 'element'];
  check(fileOf([columnOf({ path_in_schema: path, num_values: 3n })]));
  check(fileOf([columnOf({ path_in_schema: path, num_values: 16_777_216n })]));
  for (const values of [2n, 16_777_217n]) {
    assert.throws(
      () => check(fileOf([columnOf({ path_in_schema: path, num_values: values })])),
      /in a column of 3 rows/u,
    );
  }
});

test('checkMetadata compares the rows of the file with those of its row groups', () => {
  assert.throws(() => check(fileOf([columnOf()], 3n, 4n)), {
    message: 'expected a Parquet file, found 4 rows, and row groups of 3',
  });
  for (const rows of [-1n, 16_777_217n]) {
    assert.throws(() => check(fileOf([], rows)), {
      message: `expected a Parquet file, found a row group of ${rows} rows`,
    });
  }
  check(fileOf([], 16_777_216n));
});

/** Reads by a library that throws. */
function read(error: unknown): Promise<unknown> {
  return orDamaged(async () => {
    throw error;
  });
}

test('orDamaged reports errors of the engine as damage, and others with their text', async () => {
  for (const error of [
    new TypeError('a'),
    new RangeError('b'),
    new SyntaxError('c'),
    new ReferenceError('d'),
  ]) {
    await assert.rejects(read(error), {
      name: 'ParquetError',
      message: 'expected a Parquet file, found damaged metadata',
      cause: error,
    });
  }
  await assert.rejects(read(new Error('no footer')), {
    message: 'expected a Parquet file, found one that cannot be read: no footer',
  });
  await assert.rejects(read(new Error('undefined is missing')), {
    message: 'expected a Parquet file, found damaged metadata',
  });
  assert.equal(await orDamaged(async () => 7), 7);
});

test('orDamaged leaves errors of the system as they are, and those that are no errors', async () => {
  const error = Object.assign(new Error('EIO'), { syscall: 'read' });
  await assert.rejects(read(error), (found) => found === error);
  await assert.rejects(read('text'), (found) => found === 'text');
});
