import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { MessageWriter } from '../../src/otlp/wire.js';
import { createIntake } from './intake.fixture.js';

// Points whose fields are left out, come in another order or are of a later version: encoders that always write all of them
// do not show what becomes of these.

export type Write = (writer: MessageWriter) => unknown;

export const second = 1_795_000_000_000_000_000n;
export const seconds = (count: number) => second + BigInt(count) * 1_000_000_000n;
const kinds = { gauge: 5, sum: 7, histogram: 9, exponential: 10 } as const;
export const start = (at: bigint) => (writer: MessageWriter) => writer.fixed64(2, at);
export const time = (at: bigint) => (writer: MessageWriter) => writer.fixed64(3, at);
export const double = (value: number) => (writer: MessageWriter) => writer.double(4, value);
export const int = (value: bigint) => (writer: MessageWriter) => writer.fixed64(6, value);
export const flags = (value: number) => (writer: MessageWriter) => writer.integer(8, value);

export const attribute =
  (key: string, field = 7) =>
  (writer: MessageWriter) => {
    const pair = writer.begin(field);
    const value = writer.text(1, key).begin(2);
    return writer.text(1, 'x').end(value).end(pair);
  };

/** A request with a metric `m` of this kind, whose points have these fields. */
export function encode(kind: keyof typeof kinds, ...points: readonly (readonly Write[])[]): Uint8Array {
  const writer = new MessageWriter();
  const ends = [writer.begin(1), writer.begin(2), writer.begin(2)];
  writer.text(1, 'm');
  ends.push(writer.begin(kinds[kind]));
  for (const fields of points) {
    const point = writer.begin(1);
    for (const write of fields) write(writer);
    writer.end(point);
  }
  if (kind !== 'gauge') writer.integer(2, 2);
  if (kind === 'sum') writer.integer(3, 1);
  for (const end of ends.toReversed()) writer.end(end);
  return writer.finish();
}

export function open(t: TestContext) {
  const parts = createIntake(t);
  return {
    ...parts,
    async reject(bytes: Uint8Array): Promise<readonly [number, string]> {
      const answer = await parts.intake.take(bytes);
      assert.equal(answer.kind, 'taken');
      return [answer.rejected, answer.message];
    },
  };
}
