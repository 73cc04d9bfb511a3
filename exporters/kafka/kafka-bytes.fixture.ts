import { gunzipSync } from 'node:zlib';

// For tests: the types of Kafka's protocol (https://kafka.apache.org/protocol#protocol_types), as a broker reads and
// writes them.

/** Reads a request from its first byte to its last. */
export class KafkaReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Buffer {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  int8 = (): number => this.take(1).readInt8();
  int16 = (): number => this.take(2).readInt16BE();
  int32 = (): number => this.take(4).readInt32BE();
  int64 = (): bigint => this.take(8).readBigInt64BE();

  /** An unsigned varint. */
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.take(1).readUInt8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  /** A signed varint. */
  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text = (): string => this.take(Math.max(0, this.int16())).toString();
  compactBytes = (): Buffer => this.take(Math.max(0, this.varint() - 1));
  compactText = (): string => this.compactBytes().toString();

  list<Item>(read: () => Item): Item[] {
    return Array.from({ length: this.int32() }, read);
  }

  compactList<Item>(read: () => Item): Item[] {
    return Array.from({ length: this.varint() - 1 }, read);
  }
}

/** Writes an answer. Strings and lists have at most 126 elements. */
export class KafkaWriter {
  readonly #parts: Buffer[] = [];

  int8 = (...values: number[]): this => this.#add(values, 1, (part, value) => part.writeInt8(value));
  int16 = (...values: number[]): this => this.#add(values, 2, (part, value) => part.writeInt16BE(value));
  int32 = (...values: number[]): this => this.#add(values, 4, (part, value) => part.writeInt32BE(value));
  int64 = (...values: number[]): this =>
    this.#add(values, 8, (part, value) => part.writeBigInt64BE(BigInt(value)));

  text(text: string): this {
    this.int16(Buffer.byteLength(text));
    this.#parts.push(Buffer.from(text));
    return this;
  }

  compactText(text: string): this {
    this.int8(Buffer.byteLength(text) + 1);
    this.#parts.push(Buffer.from(text));
    return this;
  }

  /** The answer, preceded by its length. */
  finish(): Buffer {
    const body = Buffer.concat(this.#parts);
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length);
    return Buffer.concat([length, body]);
  }

  #add(values: readonly number[], size: number, write: (part: Buffer, value: number) => void): this {
    for (const value of values) {
      const part = Buffer.alloc(size);
      write(part, value);
      this.#parts.push(part);
    }
    return this;
  }
}

/** A record of a batch. */
export interface KafkaRecord {
  readonly key: Buffer | undefined;
  readonly value: Buffer;
}

/** The records of a batch of version 2 (https://kafka.apache.org/documentation/#recordbatch). */
export function readRecordBatch(bytes: Buffer): readonly KafkaRecord[] {
  const reader = new KafkaReader(bytes);
  // Offset, length, epoch, version, checksum.
  reader.take(8 + 4 + 4 + 1 + 4);
  const isCompressed = (reader.int16() & 7) === 1;
  reader.take(4 + 8 + 8 + 8 + 2 + 4);
  const count = reader.int32();
  const rest = reader.take(reader.left);
  const records = new KafkaReader(isCompressed ? gunzipSync(rest) : rest);
  return Array.from({ length: count }, () => readRecord(records));
}

function readRecord(reader: KafkaReader): KafkaRecord {
  reader.zigzag();
  reader.int8();
  reader.zigzag();
  reader.zigzag();
  const keyLength = reader.zigzag();
  const key = keyLength < 0 ? undefined : reader.take(keyLength);
  const value = reader.take(reader.zigzag());
  for (let headers = reader.zigzag(); headers > 0; headers -= 1) {
    reader.take(reader.zigzag());
    reader.take(reader.zigzag());
  }
  return { key, value };
}
