import { crc32 } from 'node:zlib';
import type { AsyncBuffer, ColumnMetaData, FileMetaData, PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';

// A Parquet reader trusts the metadata of a file: a wrong byte in a count makes it compute for hours, or
// request gigabytes. Everything that can be cross-checked is checked before anything is decoded.

/** Larger row groups would not fit into memory; other writers use a million rows. */
const maxGroupRows = 16_777_216n;
/** Maximum compression ratio of Snappy. */
const maxSnappyRatio = 32;
const minPageBytes = 4096;

/**
 * Compares counts and offsets of a footer with each other and with the length of the file.
 * @throws Error if they are inconsistent
 */
export function checkMetadata(
  { num_rows: total, row_groups: groups }: FileMetaData,
  byteLength: number,
): void {
  let rows = 0n;
  for (const { num_rows: own, columns } of groups) {
    expect(own >= 0n && own <= maxGroupRows, `a row group of ${own} rows`);
    for (const { meta_data: column } of columns) {
      const values = column?.num_values ?? -1n;
      // A row of a list column has several values.
      const isRight = isList(column) ? values >= own && values <= maxGroupRows : values === own;
      expect(isRight, `${column?.num_values} values in a column of ${own} rows`);
      const [from, to] = rangeOf(column);
      expect(
        from >= 4 && from < to && to <= byteLength,
        `a column from byte ${from} to ${to} of ${byteLength}`,
      );
    }
    rows += own;
  }
  expect(rows === total, `${total} rows, and row groups of ${rows}`);
}

/**
 * Compares the pages of some columns with the footer, and with their checksums if they have some.
 * @throws Error if they are inconsistent
 */
export async function checkPages(
  file: AsyncBuffer,
  columns: readonly (ColumnMetaData | undefined)[],
): Promise<void> {
  for (const column of columns) {
    if (column === undefined) continue;
    const bytes = new Uint8Array(await file.slice(...rangeOf(column)));
    const reader = { view: new DataView(bytes.buffer), offset: 0 };
    let values = 0;
    while (reader.offset < bytes.length) {
      const header = parquetHeader(reader);
      const end = reader.offset + header.compressed_page_size;
      expect(Number.isInteger(end), 'a page without its length');
      expect(end > reader.offset && end <= bytes.length, `a page of ${header.compressed_page_size} bytes`);
      values += checkPage(header, bytes.subarray(reader.offset, end), isList(column));
      reader.offset = end;
    }
    expect(BigInt(values) === column.num_values, `${values} values in pages of ${column.num_values}`);
  }
}

/** @returns the number of values in a page, without those of a dictionary */
function checkPage(header: PageHeader, bytes: Uint8Array, hasLists: boolean): number {
  const { crc, uncompressed_page_size: size } = header;
  expect(crc === undefined || crc === (crc32(bytes) | 0), 'a page with a wrong checksum');
  expect(size >= 0 && size <= bytes.length * maxSnappyRatio + minPageBytes, `a page of ${size} bytes`);
  const { dictionary_page_header: dictionary, data_page_header: v1, data_page_header_v2: v2 } = header;
  if (dictionary)
    expect(isCount(dictionary.num_values, size), `${dictionary.num_values} texts in ${size} bytes`);
  if (v2) {
    const { num_values: values, num_nulls: nulls, num_rows: rows } = v2;
    expect(
      isCount(nulls, values) && (hasLists ? isCount(rows, values) : rows === values),
      `${nulls} of ${values} values without one in ${rows} rows`,
    );
    const levels = v2.definition_levels_byte_length + v2.repetition_levels_byte_length;
    expect(isCount(levels, bytes.length), `levels of ${levels} bytes`);
  }
  const values = v2?.num_values ?? v1?.num_values ?? 0;
  expect(isCount(values, Number(maxGroupRows)), `a page of ${values} values`);
  return values;
}

function isList(column: ColumnMetaData | undefined): boolean {
  return column !== undefined && column.path_in_schema.length > 1;
}

function isCount(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}

/** The range of a column's pages. */
function rangeOf(column: ColumnMetaData | undefined): [number, number] {
  if (column === undefined) return [0, 0];
  const from = Number(column.dictionary_page_offset ?? column.data_page_offset);
  return [from, from + Number(column.total_compressed_size)];
}

function expect(isRight: boolean, found: string): void {
  if (!isRight) throw new ParquetError(found);
}

const damagedMetadata = 'damaged metadata';

/** A file that is damaged or not Parquet. */
class ParquetError extends Error {
  override readonly name = 'ParquetError';

  constructor(found: string, cause?: unknown) {
    // Names of missing fields would not help a user.
    super(`expected a Parquet file, found ${found.includes('undefined') ? damagedMetadata : found}`, {
      cause,
    });
  }
}

/**
 * Calls the Parquet library, which trusts files, so that a damaged one leads to arbitrary engine errors, which
 * would not help to repair a file.
 * @throws ParquetError for every failure, except when the system cannot read the file
 */
export async function orDamaged<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ParquetError || !(error instanceof Error) || 'syscall' in error) throw error;
    const isEngines = [TypeError, RangeError, SyntaxError, ReferenceError].some(
      (kind) => error instanceof kind,
    );
    throw new ParquetError(isEngines ? damagedMetadata : `one that cannot be read: ${error.message}`, error);
  }
}
