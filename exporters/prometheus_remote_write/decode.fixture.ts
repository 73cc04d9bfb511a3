import { snappyUncompress } from 'hyparquet';
import type { HttpBackend } from '../../src/http/http-backend.fixture.js';

// For tests: an independent decoder of remote write requests.

type Value = number | bigint | Uint8Array;

/** The fields of a message; 64-bit fixed values are not converted. */
function fieldsOf(bytes: Uint8Array): readonly (readonly [field: number, value: Value])[] {
  const fields: [number, Value][] = [];
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(value);
    }
  };
  while (at < view.length) {
    const tag = varint();
    if (tag % 8 === 0) fields.push([tag >> 3, varint()]);
    else if (tag % 8 === 1) fields.push([tag >> 3, view.readBigUInt64LE(at)]);
    else fields.push([tag >> 3, view.subarray((at += 0), at)]);
    if (tag % 8 === 1) at += 8;
    if (tag % 8 !== 2) continue;
    const length = varint();
    fields[fields.length - 1] = [tag >> 3, view.subarray(at, (at += length))];
  }
  return fields;
}

function messages(bytes: Uint8Array, field: number): readonly Uint8Array[] {
  return fieldsOf(bytes).flatMap(([number, value]) =>
    number === field && value instanceof Uint8Array ? [value] : [],
  );
}

function numberOf(bytes: Uint8Array, field: number): number {
  const found = fieldsOf(bytes).find(([number]) => number === field)?.[1];
  return typeof found === 'number' ? found : 0;
}

function doubleOf(bytes: Uint8Array, field: number): number | 'stale' {
  const found = fieldsOf(bytes).find(([number]) => number === field)?.[1];
  if (typeof found !== 'bigint') return 0;
  if (found === 0x7ff0000000000002n) return 'stale';
  const cell = Buffer.alloc(8);
  cell.writeBigUInt64LE(found);
  return cell.readDoubleLE();
}

function packed(bytes: Uint8Array | undefined): readonly number[] {
  // Converts a packed list to elements with tag 0.
  const tagged: number[] = [];
  let isFirst = true;
  for (const byte of bytes ?? []) {
    if (isFirst) tagged.push(8);
    tagged.push(byte);
    isFirst = byte < 0x80;
  }
  return fieldsOf(Buffer.from(tagged)).map(([, value]) => Number(value));
}

const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);

export interface DecodedSample {
  readonly value: number | 'stale';
  readonly atMs: number;
  readonly startMs: number;
}

export interface DecodedHistogram {
  readonly count: number;
  readonly sum: number | 'stale';
  readonly schema: number;
  readonly zeroCount: number;
  readonly positive: { readonly offset: number; readonly deltas: readonly number[] } | undefined;
  readonly atMs: number;
  readonly startMs: number;
}

export interface DecodedSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly labelNames: readonly string[];
  readonly type: number;
  readonly help: string;
  readonly unit: string;
  readonly samples: readonly DecodedSample[];
  readonly histograms: readonly DecodedHistogram[];
}

/** The series of a request of protocol 2.0. */
export function decodeVersion2(request: Uint8Array): readonly DecodedSeries[] {
  const symbols = messages(request, 4).map((text) => Buffer.from(text).toString());
  if (symbols[0] !== '') throw new Error(`expected the empty text first, found "${symbols[0]}"`);
  return messages(request, 5).map((series) => {
    const texts = packed(messages(series, 1)[0]).map((ref) => symbols[ref] ?? '?');
    const [metadata = new Uint8Array()] = messages(series, 5);
    return {
      labels: pairs(texts),
      labelNames: texts.filter((_, i) => i % 2 === 0),
      type: numberOf(metadata, 1),
      help: symbols[numberOf(metadata, 3)] ?? '?',
      unit: symbols[numberOf(metadata, 4)] ?? '?',
      samples: messages(series, 2).map(decodeSample),
      histograms: messages(series, 3).map(decodeHistogram),
    };
  });
}

function pairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.flatMap((name, i) => (i % 2 === 0 ? [[name, texts[i + 1] ?? '?']] : [])));
}

function decodeSample(sample: Uint8Array): DecodedSample {
  return { value: doubleOf(sample, 1), atMs: numberOf(sample, 2), startMs: numberOf(sample, 3) };
}

function decodeHistogram(histogram: Uint8Array): DecodedHistogram {
  const [span] = messages(histogram, 11);
  return {
    count: numberOf(histogram, 1),
    sum: doubleOf(histogram, 3),
    schema: unzigzag(numberOf(histogram, 4)),
    zeroCount: numberOf(histogram, 6),
    positive: span && {
      offset: unzigzag(numberOf(span, 1)),
      deltas: packed(messages(histogram, 12)[0]).map(unzigzag),
    },
    atMs: numberOf(histogram, 15),
    startMs: numberOf(histogram, 17),
  };
}

export interface DecodedVersion1 {
  readonly series: readonly Pick<DecodedSeries, 'labels' | 'samples'>[];
  readonly metadata: readonly {
    readonly type: number;
    readonly family: string;
    readonly help: string;
    readonly unit: string;
  }[];
}

/** A request of protocol 1.0. */
export function decodeVersion1(request: Uint8Array): DecodedVersion1 {
  const textOf = (bytes: Uint8Array, field: number) =>
    Buffer.from(messages(bytes, field)[0] ?? []).toString();
  return {
    series: messages(request, 1).map((series) => ({
      labels: Object.fromEntries(
        messages(series, 1).map((label) => [textOf(label, 1), textOf(label, 2)] as const),
      ),
      samples: messages(series, 2).map(decodeSample),
    })),
    metadata: messages(request, 3).map((one) => ({
      type: numberOf(one, 1),
      family: textOf(one, 2),
      help: textOf(one, 4),
      unit: textOf(one, 5),
    })),
  };
}

/** Decompresses a Snappy block with an independent decoder. */
export function uncompress(block: Uint8Array): Uint8Array {
  let length = 0;
  for (const [i, byte] of block.entries()) {
    length += (byte & 0x7f) * 128 ** i;
    if (byte < 0x80) break;
  }
  const bytes = new Uint8Array(length);
  snappyUncompress(block, bytes);
  return bytes;
}

/** Series that a backend received over protocol 2.0. */
export function takenSeries({ received }: HttpBackend): readonly DecodedSeries[] {
  return received
    .filter(({ status, headers }) => status < 300 && headers['content-type']?.includes('v2.Request'))
    .flatMap(({ bytes }) => decodeVersion2(uncompress(bytes)));
}

/** The values of their samples, without `target_info`. */
export function takenValues(backend: HttpBackend): readonly number[] {
  return takenSeries(backend)
    .filter(({ labels }) => labels['__name__'] !== 'target_info')
    .flatMap(({ samples }) => samples.flatMap(({ value }) => (value === 'stale' ? [] : [value])));
}
