import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { factory as cumulativeToDelta } from '../../processors/cumulative_to_delta/factory.js';
import { factory as deltaToCumulative } from '../../processors/delta_to_cumulative/factory.js';
import { createIntake } from '../../receivers/otlp/intake.fixture.js';
import type { Described } from '../../receivers/otlp/request.fixture.js';
import type { Consumer } from '../../src/component/consumer.js';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { Batcher } from '../../src/otlp/batcher.js';
import { decodePoints, type DecodedPoint } from '../../src/otlp/decode-request.fixture.js';
import { createRandom } from '../../src/testing/random.fixture.js';
import { isWithout, peerPath } from './peers.js';

const script = fileURLToPath(new URL('../../../test/interop/peers/compute_models.py', import.meta.url));
const skip = isWithout('pandas');
/** Before the clock of `cumulative_to_delta`, whose first deltas are those of series that started later. */
const epoch = 1_800_000_000_000_000_000n;

type Delta = readonly [series: number, time: number, delta: number];

/** Consecutive deltas of some series, at times that differ between them. */
function createDeltas(seed: number): readonly Delta[] {
  const random = createRandom(seed);
  const deltas: Delta[] = [];
  for (let series = 0; series < 5; series++) {
    let time = random.whole(10);
    for (let i = 0; i < 100; i++) {
      time += 1 + random.whole(1000);
      deltas.push([series, time, random.fraction() * 10 ** random.whole(5)]);
    }
  }
  return deltas;
}

/** Requests with a few deltas of each series, in the order of their times. */
function listRequests(deltas: readonly Delta[]): readonly Described[] {
  const lastTimes = new Map<number, number>();
  const requests: Described[] = [];
  const sorted = deltas.toSorted(([, a], [, b]) => a - b);
  for (let from = 0; from < sorted.length; from += 17) {
    const points = sorted.slice(from, from + 17).map(([series, time, double]) => {
      const start = lastTimes.get(series) ?? 0;
      lastTimes.set(series, time);
      return {
        attributes: { series: String(series) },
        start: epoch + BigInt(start),
        time: epoch + BigInt(time),
        double,
      };
    });
    requests.push({ name: 'requests', kind: 'sum', temporality: 1, points });
  }
  return requests;
}

/** The points that an OTLP exporter sends for deltas that arrive over OTLP. */
async function relay(
  t: TestContext,
  deltas: readonly Delta[],
  connect: (next: Consumer) => Consumer,
): Promise<readonly DecodedPoint[]> {
  const points: DecodedPoint[] = [];
  const batcher = new Batcher({ maxPoints: 8192, maxBytes: 2 ** 22 }, ({ bytes, release }) => {
    points.push(...decodePoints(Buffer.from(bytes)));
    release?.();
  });
  const exporter: Consumer = {
    consume(table) {
      batcher.add(table);
      return true;
    },
  };
  const { send } = createIntake(t, {}, {}, connect(exporter));
  for (const request of listRequests(deltas)) assert.equal((await send(request)).kind, 'taken');
  batcher.flush();
  return points.filter(({ value }) => value !== undefined);
}

function rowsOf(points: readonly DecodedPoint[]): readonly Delta[] {
  return points
    .map(({ attributes, time, value }): Delta => {
      return [Number(attributes['series']), Number(time - epoch), Number(value)];
    })
    .toSorted(([a, one], [b, other]) => a - b || one - other);
}

function assertSame(found: readonly Delta[], expected: readonly Delta[]): void {
  assert.equal(found.length, expected.length);
  for (const [i, [series, time, value]] of expected.entries()) {
    const own = found[i];
    assert.deepEqual(own?.slice(0, 2), [series, time]);
    assert.ok(
      Math.abs((own?.[2] ?? NaN) - value) <= 1e-9 * Math.max(1, value),
      `${own?.join()}, not ${value}`,
    );
  }
}

const toDelta = (next: Consumer) =>
  cumulativeToDelta.create(parseSettings(cumulativeToDelta.schema, {}), createFakeContext(), next);
const toCumulative = (next: Consumer) =>
  deltaToCumulative.create(parseSettings(deltaToCumulative.schema, {}), createFakeContext(), next);

test(
  'pandas computes the same sums of deltas as a pipeline with delta_to_cumulative',
  { skip },
  async (t) => {
    const deltas = createDeltas(1);
    const input = JSON.stringify({ deltas });
    const expected = JSON.parse(
      execFileSync(peerPath('pandas'), [script, 'sums'], { input }).toString(),
    ) as Delta[];
    const sorted = expected.toSorted(([a, one], [b, other]) => a - b || one - other);
    for (const connect of [toCumulative, (next: Consumer) => toDelta(toCumulative(next))]) {
      const points = await relay(t, deltas, connect);
      assert.deepEqual(new Set(points.map(({ kind }) => kind)), new Set(['sum 2 true']));
      assertSame(rowsOf(points), sorted);
    }
  },
);

test('cumulative_to_delta sends the deltas that have arrived', async (t) => {
  const deltas = createDeltas(2);
  const points = await relay(t, deltas, toDelta);
  assert.deepEqual(new Set(points.map(({ kind }) => kind)), new Set(['sum 1 true']));
  const sorted = deltas.toSorted(([a, one], [b, other]) => a - b || one - other);
  assertSame(rowsOf(points), sorted);
});
