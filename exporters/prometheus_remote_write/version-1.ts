import { MessageWriter } from '../../src/otlp/wire.js';
import { findMessage, findNumber, readFields } from '../../src/protobuf.js';
import { readPacked } from './divide-request.js';

// prometheus.WriteRequest: https://prometheus.io/docs/specs/prw/remote_write_spec/

const metadataMs = 60_000;
/** Of a sample: its tag, the value, and the tag of its instant. */
const beforeInstantBytes = 10;

export interface ConvertedRequest {
  readonly bytes: Uint8Array;
  /** How many histograms it does not have. */
  readonly leftOut: number;
}

/** Turns requests of protocol 2.0, as this exporter writes them, into those of 1.0, which have no start timestamps. */
export class Version1 {
  readonly #writer = new MessageWriter();
  readonly #hasMetadata: boolean;
  readonly #nowMs: () => number;
  /** When the metadata of a family was sent last. */
  readonly #sentMs = new Map<string, number>();
  #leftOut = 0;

  /** @param nowMs CLOCK_MONOTONIC in milliseconds */
  constructor(hasMetadata: boolean, nowMs: () => number) {
    this.#hasMetadata = hasMetadata;
    this.#nowMs = nowMs;
  }

  /** Native histograms, which backends refuse in 1.0, are left out. */
  convert(request: Uint8Array): ConvertedRequest {
    this.#leftOut = 0;
    const fields = readFields(request);
    const symbols = fields.flatMap(({ number, value }) =>
      number === 4 && typeof value !== 'number' ? [value] : [],
    );
    for (const { number, value } of fields)
      if (number === 5 && typeof value !== 'number') this.#addSeries(value, symbols);
    return { bytes: this.#writer.finish(), leftOut: this.#leftOut };
  }

  #addSeries(series: Uint8Array, symbols: readonly Uint8Array[]): void {
    const labels = readPacked(findMessage(series, 1)).map((ref) => symbols[ref] ?? new Uint8Array());
    const begin = this.#writer.begin(1);
    for (let i = 0; i < labels.length; i += 2) this.#addLabel(labels[i], labels[i + 1]);
    for (const { number, value } of readFields(series)) {
      if (typeof value === 'number') continue;
      if (number === 2) this.#writer.bytes(2, withoutStart(value));
      if (number === 3) this.#leftOut += 1;
    }
    this.#writer.end(begin);
    if (this.#hasMetadata) this.#addMetadata(findMessage(series, 5), nameOf(labels), symbols);
  }

  #addLabel(name: Uint8Array = new Uint8Array(), value: Uint8Array = new Uint8Array()): void {
    const label = this.#writer.begin(1);
    this.#writer.bytes(1, name).bytes(2, value).end(label);
  }

  #addMetadata(metadata: Uint8Array | undefined, sample: string, symbols: readonly Uint8Array[]): void {
    if (metadata === undefined) return;
    const type = findNumber(metadata, 1);
    const family = familyOf(sample, type);
    const nowMs = this.#nowMs();
    if (nowMs - (this.#sentMs.get(family) ?? -Infinity) < metadataMs) return;
    this.#sentMs.set(family, nowMs);
    const textOf = (field: number) => symbols[findNumber(metadata, field)] ?? new Uint8Array();
    const begin = this.#writer.begin(3);
    this.#writer.integer(1, type).text(2, family).bytes(4, textOf(3)).bytes(5, textOf(4)).end(begin);
  }
}

/** Metadata of a counter is under the name of its samples, that of a histogram under the name without suffixes. */
function familyOf(sample: string, type: number): string {
  return type === 3 ? sample.replace(/_(?:bucket|sum|count)$/u, '') : sample;
}

function nameOf(labels: readonly Uint8Array[]): string {
  const at = labels.findIndex((label, i) => i % 2 === 0 && Buffer.from(label).toString() === '__name__');
  return Buffer.from(labels[at + 1] ?? []).toString();
}

function withoutStart(sample: Uint8Array): Uint8Array {
  let end = beforeInstantBytes;
  while ((sample[end] ?? 0) >= 0x80) end += 1;
  return sample.subarray(0, end + 1);
}
