import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import { PointStream } from './decoder.js';
import { formats, withoutDescriptions } from './formats.fixture.js';
import { anyHistograms, flattenHistograms } from './histogram-tables.fixture.js';
import { JsonLinesDecoder } from './json-lines-decoder.js';
import { anyTables, createSink, flatten } from './recording.fixture.js';

for (const { name, hasDescriptions, roundTrip } of formats) {
  test(`${name} restores any tables`, async () => {
    await fc.assert(
      fc.asyncProperty(anyTables, async (tables) => {
        const { tables: read, notes } = await roundTrip(tables);
        assert.deepEqual(notes, []);
        const points = flatten(tables);
        assert.deepEqual(flatten(read), hasDescriptions ? points : withoutDescriptions(points));
      }),
    );
  });
}

for (const { name, hasDescriptions, roundTrip } of formats) {
  test(`${name} restores any histograms, even among numbers`, async () => {
    await fc.assert(
      fc.asyncProperty(anyTables, anyHistograms, async (numbers, histograms) => {
        const mixed = numbers.flatMap((table, i) => [table, ...histograms.slice(i, i + 1)]);
        const tables = [...mixed, ...histograms.slice(numbers.length)];
        const { tables: read, histogramTables, notes } = await roundTrip(tables);
        assert.deepEqual(notes, []);
        const expected = flattenHistograms(histograms);
        const points = hasDescriptions ? expected : withoutDescriptions(expected);
        assert.deepEqual(flattenHistograms(histogramTables), points);
        assert.equal(flatten(read).length, flatten(numbers).length);
      }),
    );
  });
}

test('JsonLinesDecoder tolerates any JSON in any place', () => {
  const anyPoint = fc.record(
    {
      timeUnixNano: fc.jsonValue(),
      startTimeUnixNano: fc.jsonValue(),
      asDouble: fc.jsonValue(),
      flags: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const anyList = fc.oneof(fc.jsonValue(), fc.array(anyPoint));
  const anyMetric = fc.record({ name: fc.jsonValue(), gauge: fc.record({ dataPoints: anyList }) });
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.array(anyMetric)), (metrics) => {
      const sink = createSink();
      const resourceMetrics = [{ resource: metrics, scopeMetrics: [{ metrics }] }];
      new JsonLinesDecoder(sink, new PointStream(sink)).line(JSON.stringify({ resourceMetrics }));
    }),
    {
      examples: [
        [[{ name: '', gauge: { dataPoints: [{ flags: { toString: 1 }, asDouble: { valueOf: 1 } }] } }]],
      ],
    },
  );
});
