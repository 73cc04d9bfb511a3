import { elementAt } from '../../src/element.js';
import { runInSlices } from '../../src/linux/slices.js';
import { MessageWriter } from '../../src/otlp/wire.js';
import { findMessage, findNumber, readFields } from '../../src/protobuf.js';
import { readPacked } from './divide-request.js';

// prometheus.WriteRequest: https://prometheus.io/docs/specs/prw/remote_write_spec/

const metadataMs = 60_000;
/** Series converted per slice; each takes some microseconds. */
const seriesAtATime = 64;
const nameLabel = Buffer.from('__name__');
/** Bytes of a sample before its instant: its tag, the value, and the tag of the instant. */
const beforeInstantBytes = 10;

export interface ConvertedRequest {
  readonly bytes: Uint8Array;
  /** Number of histograms that were left out. */
  readonly leftOut: number;
}

/** Converts this exporter's requests of protocol 2.0 to those of 1.0, which have no start timestamps. */
export class Version1 {
  readonly #hasMetadata: boolean;
  readonly #nowMs: () => number;
  /** When the metadata of a family was last sent. */
  readonly #sentMs = new Map<string, number>();

  /** @param nowMs CLOCK_MONOTONIC in milliseconds */
  constructor(hasMetadata: boolean, nowMs: () => number) {
    this.#hasMetadata = hasMetadata;
    this.#nowMs = nowMs;
  }

  /** Leaves out native histograms, which backends refuse in 1.0. Works in slices. */
  convert(request: Uint8Array): Promise<ConvertedRequest> {
    return runInSlices(this.#steps(request));
  }

  *#steps(request: Uint8Array): Generator<void, ConvertedRequest> {
    const writer = new MessageWriter();
    let leftOut = 0;
    let count = 0;
    const fields = readFields(request);
    const symbols = fields.flatMap(({ number, value }) =>
      number === 4 && typeof value !== 'number' ? [value] : [],
    );
    for (const { number, value } of fields) {
      if (number !== 5 || typeof value === 'number') continue;
      if (count++ % seriesAtATime === 0) yield;
      const series = { bytes: value, labels: labelsOf(value, symbols) };
      leftOut += addSeries(writer, series);
      if (this.#hasMetadata) this.#addMetadata(writer, series, symbols);
    }
    return { bytes: writer.finish(), leftOut };
  }

  #addMetadata(
    writer: MessageWriter,
    { bytes, labels }: LabelledSeries,
    symbols: readonly Uint8Array[],
  ): void {
    const metadata = findMessage(bytes, 5);
    if (metadata === undefined) return;
    const type = findNumber(metadata, 1);
    const family = familyOf(nameOf(labels), type);
    const nowMs = this.#nowMs();
    if (nowMs - (this.#sentMs.get(family) ?? -Infinity) < metadataMs) return;
    this.#sentMs.set(family, nowMs);
    const textOf = (field: number) => symbols[findNumber(metadata, field)] ?? new Uint8Array();
    const begin = writer.begin(3);
    writer.integer(1, type).text(2, family).bytes(4, textOf(3)).bytes(5, textOf(4)).end(begin);
  }
}

/** A series of version 2.0, and its labels: alternating names and values. */
interface LabelledSeries {
  readonly bytes: Uint8Array;
  readonly labels: readonly Uint8Array[];
}

/** @returns the number of its histograms, which are left out */
function addSeries(writer: MessageWriter, { bytes, labels }: LabelledSeries): number {
  const begin = writer.begin(1);
  for (let i = 0; i < labels.length; i += 2) {
    const label = writer.begin(1);
    writer
      .bytes(1, elementAt(labels, i))
      .bytes(2, elementAt(labels, i + 1))
      .end(label);
  }
  let leftOut = 0;
  for (const { number, value } of readFields(bytes)) {
    if (typeof value === 'number') continue;
    if (number === 2) writer.bytes(2, withoutStart(value));
    if (number === 3) leftOut += 1;
  }
  writer.end(begin);
  return leftOut;
}

/** Alternating names and values. */
function labelsOf(series: Uint8Array, symbols: readonly Uint8Array[]): readonly Uint8Array[] {
  return readPacked(findMessage(series, 1)).map((ref) => symbols[ref] ?? new Uint8Array());
}

/** Metadata of a counter use the name of its samples, those of a histogram the name without suffixes. */
function familyOf(sample: string, type: number): string {
  return type === 3 ? sample.replace(/_(?:bucket|sum|count)$/u, '') : sample;
}

function nameOf(labels: readonly Uint8Array[]): string {
  const at = labels.findIndex((label, i) => i % 2 === 0 && Buffer.compare(label, nameLabel) === 0);
  return Buffer.from(labels[at + 1] ?? []).toString();
}

function withoutStart(sample: Uint8Array): Uint8Array {
  let end = beforeInstantBytes;
  while ((sample[end] ?? 0) >= 0x80) end += 1;
  return sample.subarray(0, end + 1);
}
