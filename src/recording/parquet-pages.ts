import { crc32 } from 'node:zlib';
import type { ColumnMetaData, Encoding, SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';

/** A page before compression. */
interface Page {
  readonly encoding: Encoding;
  readonly rows: number;
  /** 1 for each row with a value, 0 for others; undefined: all rows have a value. */
  readonly levels: Uint8Array | undefined;
  /** Number of rows without a value. */
  readonly nulls: number;
  readonly body: Uint8Array;
}

/** Figures of histograms before compression: numbers, or lists of numbers. */
export interface FiguresPage {
  readonly rows: number;
  /** Definition levels: one per number, per empty list, and per row without either. */
  readonly definition: Uint8Array;
  /** Repetition levels of the same entries: 0 at the start of a row. */
  readonly repetition: Uint8Array;
  /** Definition level of a number. */
  readonly present: number;
  readonly body: Uint8Array;
}

/** A page with the levels of its values. */
interface DataPage {
  readonly encoding: Encoding;
  readonly rows: number;
  /** Number of values, including missing ones. */
  readonly entries: number;
  readonly nulls: number;
  readonly levels: Uint8Array;
  /** Number of bytes of the repetition levels. */
  readonly repetitionBytes: number;
  readonly body: Uint8Array;
}

/** Whether rows of a column may have no value. */
export function isOptional({ repetition_type: repetition }: SchemaElement): boolean {
  return repetition === 'OPTIONAL';
}

/**
 * Writes the column chunks of row groups: one page of values each, and a dictionary before it if the column has
 * one. The Parquet library writes no checksums; every page here has one.
 */
export class PageWriter {
  readonly #out: ByteWriter;
  readonly #levels = new ByteWriter();
  #startedAt = 0;
  #uncompressed = 0;
  #dictionaryAt: number | undefined;

  constructor(out: ByteWriter) {
    this.#out = out;
  }

  /** Starts the chunk of a column. */
  begin(): void {
    this.#startedAt = this.#out.offset;
    this.#uncompressed = 0;
    this.#dictionaryAt = undefined;
  }

  /** Writes the dictionary of the chunk. */
  dictionary(values: number, body: Uint8Array): void {
    const out = this.#out;
    this.#dictionaryAt = out.offset;
    const bytes = snappyCompress(body);
    writePageHeader(out, {
      type: 'DICTIONARY_PAGE',
      uncompressed_page_size: body.length,
      compressed_page_size: bytes.length,
      crc: crc32(bytes) | 0,
      dictionary_page_header: { num_values: values, encoding: 'PLAIN' },
    });
    this.#uncompressed += out.offset - this.#dictionaryAt + body.length;
    out.appendBytes(bytes);
  }

  /** Writes the values, which end the chunk. */
  values({ encoding, rows, levels, nulls, body }: Page, element: SchemaElement): ColumnMetaData {
    const levelBytes = isOptional(element) ? this.#encodeLevels(levels, rows) : new Uint8Array(0);
    const page = { encoding, rows, entries: rows, nulls, levels: levelBytes, repetitionBytes: 0, body };
    return this.#write(page, [element.name], element.type);
  }

  /** The same for a column of histograms. @param path of a list, including its elements */
  figures(page: FiguresPage, path: readonly string[], type: SchemaElement['type']): ColumnMetaData {
    const { rows, definition, repetition, present, body } = page;
    const writer = this.#levels;
    writer.index = 0;
    if (path.length > 1) writeRleBitPackedHybrid(writer, repetition, 1);
    const repetitionBytes = writer.index;
    writeRleBitPackedHybrid(writer, definition, present);
    const nulls = definition.reduce((count, level) => count + (level === present ? 0 : 1), 0);
    const levels = { levels: writer.getBytes(), repetitionBytes };
    return this.#write(
      { encoding: 'PLAIN', rows, entries: definition.length, nulls, ...levels, body },
      path,
      type,
    );
  }

  #write(page: DataPage, path: readonly string[], type: SchemaElement['type']): ColumnMetaData {
    const { encoding, rows, entries, nulls, levels, repetitionBytes, body } = page;
    const out = this.#out;
    const dataAt = out.offset;
    const bytes = snappyCompress(body);
    writePageHeader(out, {
      type: 'DATA_PAGE_V2',
      uncompressed_page_size: levels.length + body.length,
      compressed_page_size: levels.length + bytes.length,
      crc: crc32(bytes, crc32(levels)) | 0,
      data_page_header_v2: {
        num_values: entries,
        num_nulls: nulls,
        num_rows: rows,
        encoding,
        definition_levels_byte_length: levels.length - repetitionBytes,
        repetition_levels_byte_length: repetitionBytes,
        is_compressed: true,
      },
    });
    this.#uncompressed += out.offset - dataAt + levels.length + body.length;
    out.appendBytes(levels);
    out.appendBytes(bytes);
    return this.#describe(path, type, { encoding, entries, dataAt });
  }

  #encodeLevels(levels: Uint8Array | undefined, rows: number): Uint8Array {
    const writer = this.#levels;
    writer.index = 0;
    if (levels) writeRleBitPackedHybrid(writer, levels, 1);
    else {
      // A single run of ones: its length is shifted by the bit that marks bit-packed runs.
      writer.appendVarInt(rows << 1);
      writer.appendUint8(1);
    }
    return writer.getBytes();
  }

  #describe(
    path: readonly string[],
    type: SchemaElement['type'],
    { encoding, entries, dataAt }: Pick<DataPage, 'encoding' | 'entries'> & { readonly dataAt: number },
  ): ColumnMetaData {
    const dictionaryAt = this.#dictionaryAt;
    return {
      type: type ?? 'BYTE_ARRAY',
      encodings: dictionaryAt === undefined ? [encoding] : ['PLAIN', encoding],
      path_in_schema: [...path],
      codec: 'SNAPPY',
      num_values: BigInt(entries),
      total_uncompressed_size: BigInt(this.#uncompressed),
      total_compressed_size: BigInt(this.#out.offset - this.#startedAt),
      data_page_offset: BigInt(dataAt),
      ...(dictionaryAt !== undefined && { dictionary_page_offset: BigInt(dictionaryAt) }),
    };
  }
}
