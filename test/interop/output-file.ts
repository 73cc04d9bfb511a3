import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import {
  listHistograms,
  listPoints,
  type DecodedHistogram,
  type DecodedPoint,
} from '../../src/otlp/decode-request.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import type { JsonRequest } from './points.js';

/** Output of a Collector's file exporter, across restarts. Each line is read once. */
export class OutputFile {
  readonly path = join(createFolder(), 'otlp.jsonl');
  readonly #points: DecodedPoint[] = [];
  readonly #histograms: DecodedHistogram[] = [];
  readonly #resourceCounts: number[] = [];
  /** Bytes of the complete lines read so far. */
  #read = 0;

  /** Every point so far. */
  get points(): readonly DecodedPoint[] {
    this.#readOn();
    return this.#points;
  }

  /** Every histogram so far. */
  get histograms(): readonly DecodedHistogram[] {
    this.#readOn();
    return this.#histograms;
  }

  /** Number of resources of each request. */
  get resourceCounts(): readonly number[] {
    this.#readOn();
    return this.#resourceCounts;
  }

  #readOn(): void {
    if (!existsSync(this.path)) return;
    const bytes = readFrom(this.path, this.#read);
    const end = bytes.lastIndexOf('\n') + 1;
    this.#read += end;
    for (const line of bytes.toString('utf8', 0, end).split('\n').slice(0, -1)) this.#add(line);
  }

  #add(line: string): void {
    const { resourceMetrics = [] } = JSON.parse(line) as JsonRequest;
    this.#resourceCounts.push(resourceMetrics.length);
    for (const point of listPoints(resourceMetrics)) this.#points.push(point);
    for (const point of listHistograms(resourceMetrics)) this.#histograms.push(point);
  }
}

function readFrom(path: string, offset: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - offset));
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, offset));
  } finally {
    closeSync(file);
  }
}
