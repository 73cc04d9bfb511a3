import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decodePoints, type DecodedPoint } from '../src/otlp/decode-request.fixture.js';
import { WireCursor } from '../src/otlp/wire-cursor.js';

/** resource_metrics, scope_metrics, metrics: each field is a message that contains the next one. */
const path = [1, 2, 2] as const;
/** Fields of a metric: `gauge` and `sum`, whose first field has the points. */
const kinds: ReadonlySet<number> = new Set([5, 7]);
const flagsField = 8;

/** Number of points in all stored requests over HTTP, without points that are marked as having no value. */
export function countKeptPoints(folder: string): number {
  return listRequests(folder, 'http').reduce(
    (sum, bytes) => sum + countPoints(new Uint8Array(gunzipSync(bytes))),
    0,
  );
}

/** Reads the telemetry that the collector pushed about itself, by gRPC without compression. */
export function readOwnPoints(folder: string): readonly DecodedPoint[] {
  const frameBytes = 5;
  return listRequests(folder, 'grpc').flatMap((bytes) => decodePoints(bytes.subarray(frameBytes)));
}

function listRequests(folder: string, kind: string): readonly Buffer[] {
  const names = readdirSync(folder).filter((name) => name.startsWith(`${kind}.`));
  return names.map((name) => readFileSync(join(folder, name)));
}

function countPoints(bytes: Uint8Array): number {
  const cursor = new WireCursor();
  cursor.open(bytes);
  return countWithin(cursor, 0);
}

function countWithin(cursor: WireCursor, depth: number): number {
  const wanted = path[depth];
  let points = 0;
  eachField(cursor, (field) => {
    const isWanted = wanted === undefined ? kinds.has(field) : field === wanted;
    if (!isWanted) return false;
    points += within(cursor, () =>
      wanted === undefined ? countOfMetric(cursor) : countWithin(cursor, depth + 1),
    );
    return true;
  });
  return points;
}

function countOfMetric(cursor: WireCursor): number {
  let points = 0;
  eachField(cursor, (field) => {
    if (field === 1) points += within(cursor, () => (hasFlags(cursor) ? 0 : 1));
    return field === 1;
  });
  return points;
}

/** The only flag that is defined: no recorded value. */
function hasFlags(cursor: WireCursor): boolean {
  let isSet = false;
  eachField(cursor, (field) => {
    if (field === flagsField) isSet = cursor.readVarint() !== 0;
    return field === flagsField;
  });
  return isSet;
}

/** @param take reads the value of a field, or leaves it and returns false */
function eachField(cursor: WireCursor, take: (field: number) => boolean): void {
  while (cursor.at < cursor.end) {
    const tag = cursor.readTag();
    if (!take(tag >>> 3)) cursor.skip(tag);
  }
}

/** Reads a nested message. */
function within(cursor: WireCursor, read: () => number): number {
  const { end } = cursor;
  cursor.end = cursor.readEnd();
  const result = read();
  cursor.end = end;
  return result;
}
