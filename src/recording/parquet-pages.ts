import { crc32 } from 'node:zlib';
import type { ColumnMetaData, Encoding, SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';

/** A page as it is before compression. */
interface Page {
  readonly encoding: Encoding;
  readonly rows: number;
  /** Which rows have a value, 1 or 0 each; undefined: all of them. */
  readonly levels: Uint8Array | undefined;
  /** How many rows have none. */
  readonly nulls: number;
  readonly body: Uint8Array;
}

/** Whether rows of a column may have no value. */
export function isOptional({ repetition_type: repetition }: SchemaElement): boolean {
  return repetition === 'OPTIONAL';
}

/**
 * Writes the column chunks of row groups: a page of values each, and a dictionary before it where there is one. The
 * Parquet library writes no checksums; every page here has one.
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

  /** Writes the values of the chunk, which ends with them. */
  values({ encoding, rows, levels, nulls, body }: Page, element: SchemaElement): ColumnMetaData {
    const out = this.#out;
    const dataAt = out.offset;
    const levelBytes = isOptional(element) ? this.#encodeLevels(levels, rows) : new Uint8Array(0);
    const bytes = snappyCompress(body);
    writePageHeader(out, {
      type: 'DATA_PAGE_V2',
      uncompressed_page_size: levelBytes.length + body.length,
      compressed_page_size: levelBytes.length + bytes.length,
      crc: crc32(bytes, crc32(levelBytes)) | 0,
      data_page_header_v2: {
        num_values: rows,
        num_nulls: nulls,
        num_rows: rows,
        encoding,
        definition_levels_byte_length: levelBytes.length,
        repetition_levels_byte_length: 0,
        is_compressed: true,
      },
    });
    this.#uncompressed += out.offset - dataAt + levelBytes.length + body.length;
    out.appendBytes(levelBytes);
    out.appendBytes(bytes);
    return this.#describe(element, { encoding, rows, dataAt });
  }

  #encodeLevels(levels: Uint8Array | undefined, rows: number): Uint8Array {
    const writer = this.#levels;
    writer.index = 0;
    if (levels) writeRleBitPackedHybrid(writer, levels, 1);
    else {
      // One run of ones: its length is shifted by the bit that would mark packed ones.
      writer.appendVarInt(rows << 1);
      writer.appendUint8(1);
    }
    return writer.getBytes();
  }

  #describe(
    { name, type = 'BYTE_ARRAY' }: SchemaElement,
    { encoding, rows, dataAt }: Pick<Page, 'encoding' | 'rows'> & { readonly dataAt: number },
  ): ColumnMetaData {
    const dictionaryAt = this.#dictionaryAt;
    return {
      type,
      encodings: dictionaryAt === undefined ? [encoding] : ['PLAIN', encoding],
      path_in_schema: [name],
      codec: 'SNAPPY',
      num_values: BigInt(rows),
      total_uncompressed_size: BigInt(this.#uncompressed),
      total_compressed_size: BigInt(this.#out.offset - this.#startedAt),
      data_page_offset: BigInt(dataAt),
      ...(dictionaryAt !== undefined && { dictionary_page_offset: BigInt(dictionaryAt) }),
    };
  }
}
