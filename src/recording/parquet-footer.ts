import type { ColumnMetaData, SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { logicalType } from 'hyparquet-writer/src/metadata.js';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';
import { unconvertStatistics } from 'hyparquet-writer/src/unconvert.js';
import {
  CompressionCodecs,
  ConvertedTypes,
  Encodings,
  FieldRepetitionTypes,
  ParquetTypes,
} from 'hyparquet/src/constants.js';

// The footer of a Parquet file, FileMetaData of parquet.thrift in Thrift's compact protocol. The library would
// encode all row groups again for every footer, which for a thousand row groups takes longer than everything
// else.

const magic = 0x31524150;
const version = 2;
const createdBy = 'joulemetry';
/** Thrift's types of a list and of its elements, and the size from which it no longer fits into the type byte. */
const listType = 9;
const structType = 12;
const longList = 15;
/** Header of a field with a list, whose id is one more than that of the previous field. */
const listHeader = Buffer.of((1 << 4) | listType);

/** A row group, with its column chunks as bytes. */
interface Group {
  readonly rows: number;
  chunks: Buffer;
  columns: number;
  uncompressed: bigint;
  compressed: bigint;
}

/** Encodes the footer for the file so far. Each row group is encoded once and kept as bytes. */
export class ParquetFooter {
  #schema: readonly SchemaElement[];
  readonly #writer = new ByteWriter();
  /** The row groups to which `widen` adds columns; undefined after that. */
  #narrow: Group[] | undefined = [];
  #rowGroups = 0;
  #groupBytes = Buffer.alloc(0);
  #rows = 0n;

  constructor(schema: readonly SchemaElement[]) {
    this.#schema = schema;
  }

  /** Number of row groups. */
  get rowGroups(): number {
    return this.#rowGroups;
  }

  /** Adds a row group of these column chunks. */
  add(columns: readonly ColumnMetaData[], rows: number): void {
    const group = { rows, chunks: Buffer.alloc(0), columns: 0, uncompressed: 0n, compressed: 0n };
    this.#addChunks(group, columns);
    this.#narrow?.push(group);
    this.#rowGroups += 1;
    this.#groupBytes = Buffer.concat([this.#groupBytes, this.#encodeGroup(group)]);
    this.#rows += BigInt(rows);
  }

  /**
   * Adds columns to every row group, after the existing ones. Called at most once.
   * @param schema of all columns
   * @param writeColumns writes them for a row group of this many rows
   */
  widen(schema: readonly SchemaElement[], writeColumns: (rows: number) => readonly ColumnMetaData[]): void {
    this.#schema = schema;
    const groups = this.#narrow ?? [];
    this.#narrow = undefined;
    for (const group of groups) this.#addChunks(group, writeColumns(group.rows));
    this.#groupBytes = Buffer.concat(groups.map((group) => this.#encodeGroup(group)));
  }

  /** The last bytes of the file. */
  bytes(): Buffer {
    const head = this.#encode({
      field_1: version,
      field_2: this.#schema.map(schemaFields),
      field_3: this.#rows,
    });
    // A true field takes one byte: with it in place of the row groups, the following field ids are correct.
    const tail = this.#encode({
      field_4: true,
      field_6: createdBy,
      field_7: this.#leaves.map(() => ({ field_1: {} })),
    });
    const list = [listHeader, this.#listLength(this.#rowGroups), this.#groupBytes];
    const fields = [head.subarray(0, -1), ...list, tail.subarray(1)];
    const length = fields.reduce((sum, bytes) => sum + bytes.length, 0);
    return Buffer.concat([...fields, uint32(length), uint32(magic)]);
  }

  /** The elements of the schema that are columns. */
  get #leaves(): readonly SchemaElement[] {
    return this.#schema.filter(({ num_children: children }) => children === undefined);
  }

  #addChunks(group: Group, columns: readonly ColumnMetaData[]): void {
    const leaves = this.#leaves.slice(group.columns);
    const chunks = columns.map((column, i) => this.#encode(chunkFields(column, leaves[i])));
    group.chunks = Buffer.concat([group.chunks, ...chunks]);
    group.columns += columns.length;
    for (const { total_uncompressed_size: uncompressed, total_compressed_size: compressed } of columns) {
      group.uncompressed += uncompressed;
      group.compressed += compressed;
    }
  }

  #encodeGroup({ rows, chunks, columns, uncompressed, compressed }: Group): Buffer {
    const tail = this.#encode({
      field_1: true,
      field_2: uncompressed,
      field_3: BigInt(rows),
      field_6: compressed,
    });
    return Buffer.concat([listHeader, this.#listLength(columns), chunks, tail.subarray(1)]);
  }

  /** Header of a list of structs. */
  #listLength(count: number): Buffer {
    const writer = this.#writer;
    writer.index = 0;
    writer.appendUint8((Math.min(count, longList) << 4) | structType);
    if (count >= longList) writer.appendVarInt(count);
    return Buffer.from(writer.getBytes());
  }

  #encode(fields: Parameters<typeof serializeTCompactProtocol>[1]): Buffer {
    this.#writer.index = 0;
    serializeTCompactProtocol(this.#writer, fields);
    return Buffer.from(this.#writer.getBytes());
  }
}

/** ColumnChunk. */
function chunkFields(column: ColumnMetaData, element: SchemaElement | undefined) {
  const start = column.dictionary_page_offset ?? column.data_page_offset;
  return {
    field_2: start,
    field_3: {
      field_1: ParquetTypes.indexOf(column.type),
      field_2: column.encodings.map((encoding) => Encodings.indexOf(encoding)),
      field_3: column.path_in_schema,
      field_4: CompressionCodecs.indexOf(column.codec),
      field_5: column.num_values,
      field_6: column.total_uncompressed_size,
      field_7: column.total_compressed_size,
      field_9: column.data_page_offset,
      field_11: column.dictionary_page_offset,
      field_12: column.statistics && element && unconvertStatistics(column.statistics, element),
    },
  };
}

/** SchemaElement. */
function schemaFields(element: SchemaElement) {
  const { type, repetition_type: repetition, converted_type: converted } = element;
  return {
    field_1: type && ParquetTypes.indexOf(type),
    field_3: repetition && FieldRepetitionTypes.indexOf(repetition),
    field_4: element.name,
    field_5: element.num_children,
    field_6: converted && ConvertedTypes.indexOf(converted),
    field_10: logicalType(element.logical_type),
  };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
