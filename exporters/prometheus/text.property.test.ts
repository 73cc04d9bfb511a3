import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Metric } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { renderLabels } from '../../src/prometheus/labels.js';
import { formatValue, translateLabel, translateMetric } from '../../src/prometheus/names.js';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { acceptsGzip, chooseFormat } from './negotiation.js';
import { renderText } from './page-text.fixture.js';
import { SeriesStore } from './store.js';

/** Reads a label set like Prometheus' parser: names and quoted values with three escapes. */
function parseLabels(text: string): readonly (readonly [string, string])[] {
  const labels: (readonly [string, string])[] = [];
  const pattern = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy;
  const inner = text === '' ? '' : text.slice(1, -1);
  let at = 0;
  for (let match = pattern.exec(inner); match; match = pattern.exec(inner)) {
    labels.push([match[1], unescape(match[2])]);
    at = pattern.lastIndex;
  }
  assert.equal(at, inner.length, `no parser can read ${text}`);
  return labels;
}

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/gsu, (_, letter: string) => (letter === 'n' ? '\n' : letter));
}

const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\\', '"', '\n', '\\"', '\\n', '}', ','),
);

test('renderLabels writes what a parser reads back', () => {
  const attributes = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,5}$/u), value), {
    selector: ([name]) => name,
    maxLength: 5,
  });
  holdsFor(attributes, (pairs) => {
    const wanted = pairs.filter(([, text]) => text !== '').toSorted(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual(parseLabels(renderLabels(Object.fromEntries(pairs))), wanted);
  });
});

test('renderLabels names every label once and validly, for any attribute names', () => {
  holdsFor(fc.dictionary(fc.string({ minLength: 1, unit: 'binary' }), value), (attributes) => {
    const names = parseLabels(renderLabels(attributes)).map(([name]) => name);
    assert.equal(new Set(names).size, names.length);
    // Prometheus reserves names that start with two underscores.
    assert.ok(names.every((name) => !name.startsWith('__')));
  });
  assert.equal(translateLabel('a.b'), 'a_b');
});

const metric: fc.Arbitrary<Metric> = fc.record({
  name: fc.oneof(fc.string({ minLength: 1, unit: 'binary' }), fc.stringMatching(/^[a-z.0-9_]{1,20}$/u)),
  unit: fc.oneof(fc.string(), fc.constantFrom('J', '1', 'By', 'By/s', '{tick}', '%', '', '/s', 's/')),
  description: value,
  kind: fc.constantFrom('gauge', 'counter', 'updowncounter'),
  isInteger: fc.boolean(),
}) as unknown as fc.Arbitrary<Metric>;

const namePattern = /^[a-zA-Z_:][\w:]*$/u;

test('translateMetric returns names that Prometheus accepts', () => {
  holdsFor(metric, (one) => {
    const { sample, family, unit } = translateMetric(one);
    assert.match(sample, namePattern);
    assert.match(family, namePattern);
    assert.equal(sample, one.kind === 'counter' ? `${family}_total` : family);
    assert.ok(unit === '' || family.endsWith(`_${unit}`));
  });
});

test('a page has a head whose help is read back, in both formats', () => {
  holdsFor(metric, (one) => {
    const store = new SeriesStore({
      identityLabels: [],
      host: {},
      common: {},
      endedForMs: 0,
      warn: () => {},
    });
    store.take(
      createRow(
        [{ metric: one, resource: { attributes: {} }, attributes: {}, start: 0n }],
        0n,
        new Float64Array(1),
      ),
      0,
    );
    const snapshot = store.takeSnapshot(0);
    // Prometheus reserves this name, and no metric gets it.
    if (snapshot.families.length === 0) return;
    for (const format of ['classic', 'openmetrics'] as const) {
      const page = renderText(snapshot, format);
      const lines = page
        .split('\n')
        .slice(0, -1)
        .filter((line) => line.startsWith('#'));
      const kinds = lines.map((line) => /^# (HELP|TYPE|UNIT|EOF)/u.exec(line)?.[1]);
      assert.ok(!kinds.includes(undefined), page);
      const help = lines.find((line) => line.startsWith('# HELP '))?.replace(/^# HELP \S+ /u, '') ?? '';
      assert.equal(unescapeHelp(help, format), one.description);
    }
  });
});

/** The classic format has no escape for a double quote in a help text. */
function unescapeHelp(text: string, format: 'classic' | 'openmetrics'): string {
  if (format === 'classic') assert.doesNotMatch(text.replaceAll('\\\\', ''), /\\"/u);
  return unescape(text);
}

test('formatValue writes what is read back', () => {
  holdsFor(fc.double({ noNaN: true }), (number) => {
    const text = formatValue(number);
    assert.equal(
      text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text),
      number === 0 ? 0 : number,
    );
  });
});

test('chooseFormat and acceptsGzip accept any header', () => {
  const header = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          'application/openmetrics-text',
          'text/plain',
          '*/*',
          'gzip',
          ';',
          ',',
          'q=',
          'version=',
        ),
        fc.constantFrom('0.5', '1', '0', '1.0.0', '0.0.4', '"', ' ', 'identity'),
        fc.string({ maxLength: 3 }),
      ),
    )
    .map((parts) => parts.join(''));
  holdsFor(header, (text) => {
    assert.ok(['classic', 'openmetrics'].includes(chooseFormat(text)));
    assert.equal(typeof acceptsGzip(text), 'boolean');
  });
});

test('chooseFormat selects the higher quality', () => {
  holdsFor(fc.tuple(fc.nat(100), fc.nat(100), fc.boolean()), ([open, classic, isOpenFirst]) => {
    const parts = [
      `application/openmetrics-text;version=1.0.0;q=${open / 100}`,
      `text/plain;version=0.0.4;q=${classic / 100}`,
    ];
    const header = (isOpenFirst ? parts : parts.toReversed()).join(', ');
    assert.equal(chooseFormat(header), open > 0 && open >= classic ? 'openmetrics' : 'classic');
  });
});
