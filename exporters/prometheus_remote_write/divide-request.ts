import type { QueuedRequest, StoredBytes } from '../../src/component/queue-storage.js';
import { createDivisible, type Divide } from '../../src/export/divisible-request.js';
import { findOrAdd } from '../../src/model/plan.js';
import { divideMessage } from '../../src/otlp/split-request.js';
import { MessageWriter } from '../../src/otlp/wire.js';
import { WireCursor } from '../../src/otlp/wire-cursor.js';
import { readFields, wireTypes } from '../../src/protobuf.js';

/** The fields of a protocol 2.0 request that lead to samples and histograms. */
const halve = divideMessage([[5], [2, 3]]);

/** Divides by samples, of which a histogram may have many. */
const divide: Divide = ({ bytes, points }) => {
  const [first, second] = halve({ bytes, points: countSamples(bytes) }) ?? [];
  const half = points >> 1;
  return (
    first &&
    second && [
      { bytes: withoutUnused(first.bytes), points: half },
      { bytes: withoutUnused(second.bytes), points: points - half },
    ]
  );
};

const [seriesTag, sampleTag, histogramTag] = [5, 2, 3].map(
  (field) => (field << 3) | wireTypes.lengthDelimited,
);
const cursor = new WireCursor();

/** Number of samples and histograms in a request. Allocates nothing per sample: every answer is compared with it. */
export function countSamples(request: Uint8Array): number {
  cursor.open(request);
  let count = 0;
  while (cursor.at < request.length) {
    const tag = cursor.readTag();
    if (tag === seriesTag) count += countWithin(cursor.readEnd());
    else cursor.skip(tag);
  }
  return count;
}

function countWithin(seriesEnd: number): number {
  let count = 0;
  while (cursor.at < seriesEnd) {
    const tag = cursor.readTag();
    if (tag === sampleTag || tag === histogramTag) count += 1;
    cursor.skip(tag);
  }
  return count;
}

/** A request that can be halved until it is a single sample. */
export const createRequest: (stored: StoredBytes) => QueuedRequest = createDivisible(divide);

/** Keeps only the texts that the series of a half need: otherwise it would not get much smaller. */
function withoutUnused(bytes: Uint8Array): Uint8Array {
  const fields = readFields(bytes);
  const symbols = messagesOf(fields, 4);
  const places = new Map<number, number>([[0, 0]]);
  const series = new MessageWriter();
  for (const one of messagesOf(fields, 5))
    addSeries(series, one, (symbol) => findOrAdd(places, symbol, () => places.size));
  const texts = new MessageWriter();
  for (const symbol of places.keys()) texts.bytes(4, symbols[symbol] ?? new Uint8Array());
  return Buffer.concat([texts.finish(), series.finish()]);
}

/** @param placeOf the new index of a text */
function addSeries(writer: MessageWriter, series: Uint8Array, placeOf: (symbol: number) => number): void {
  const begin = writer.begin(5);
  for (const { number, value } of readFields(series)) {
    if (typeof value === 'number') continue;
    if (number === 1) {
      const refs = writer.begin(1);
      for (const ref of readPacked(value)) writer.varint(placeOf(ref));
      writer.end(refs);
    } else if (number === 5) {
      const metadata = writer.begin(5);
      for (const { number: field, value: ref } of readFields(value))
        if (typeof ref === 'number') writer.integer(field, field === 1 ? ref : placeOf(ref));
      writer.end(metadata);
    } else writer.bytes(number, value);
  }
  writer.end(begin);
}

function messagesOf(fields: ReturnType<typeof readFields>, field: number): readonly Uint8Array[] {
  return fields.flatMap(({ number, value }) =>
    number === field && typeof value !== 'number' ? [value] : [],
  );
}

/** The numbers of a packed list. */
export function readPacked(bytes: Uint8Array = new Uint8Array()): readonly number[] {
  const numbers: number[] = [];
  let value = 0;
  let factor = 1;
  for (const byte of bytes) {
    value += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte >= 0x80) continue;
    numbers.push(value);
    value = 0;
    factor = 1;
  }
  return numbers;
}
