import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { fc } from '../testing/fixed-seed.fixture.js';
import { holdsFor } from '../testing/property.fixture.js';
import {
  attributesKey,
  compareResourceKeys,
  deriveSeries,
  inheritPublisher,
  publisherOf,
  resourceKey,
  seriesKey,
  setPublisher,
  type Attributes,
  type AttributeValue,
  type Series,
} from './series.js';

const metric = { name: 'a', unit: 'J', description: '', kind: 'counter', valueType: 'double' } as const;

function seriesOf(change: Partial<Series> = {}): Series {
  return {
    metric,
    resource: { attributes: { 'host.name': 'h' } },
    attributes: { id: 1 },
    start: 0n,
    ...change,
  };
}

const anyAttributes = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'a"', ','),
  fc.oneof(
    fc.constantFrom<Attributes[string]>('1', 1, true, 'true', '', '","', 1.5),
    fc.constantFrom<Attributes[string]>(NaN, Infinity, -Infinity, 'NaN', 'null'),
    fc.string(),
  ),
  { maxKeys: 3, noNullPrototype: true },
);

test('attributesKey is the same for equal attributes in any order, and for no others', () => {
  fc.assert(
    fc.property(anyAttributes, anyAttributes, (one, other) => {
      const reversed = Object.fromEntries(Object.entries(one).toReversed());
      assert.equal(attributesKey(reversed), attributesKey(one));
      const isSame = Object.keys({ ...one, ...other }).every((name) => Object.is(one[name], other[name]));
      assert.equal(attributesKey(one) === attributesKey(other), isSame);
    }),
  );
});

test('seriesKey distinguishes metric names, attributes and resources, and nothing else', () => {
  const key = seriesKey(seriesOf());
  assert.equal(seriesKey(seriesOf({ start: 9n, metric: { ...metric, unit: 'W' } })), key);
  for (const change of [
    { metric: { ...metric, name: 'b' } },
    { attributes: { id: '1' } },
    { attributes: {} },
    { resource: { attributes: { 'host.name': 'h', id: 1 } }, attributes: {} },
    { resource: { attributes: {} } },
  ]) {
    assert.notEqual(seriesKey(seriesOf(change)), key, JSON.stringify(change));
  }
});

test('resourceKey is worked out once for a resource', () => {
  let looks = 0;
  const resource = {
    get attributes() {
      looks += 1;
      return { 'host.name': 'h' };
    },
  };
  assert.equal(resourceKey(resource), resourceKey(resource));
  assert.equal(looks, 1);
});

const keyOf = (attributes: Attributes) => resourceKey({ attributes });

test('resourceKey is the same exactly where attributes are, and has no names of attributes', () => {
  fc.assert(
    fc.property(anyAttributes, anyAttributes, (one, other) => {
      const reversed = Object.fromEntries(Object.entries(one).toReversed());
      assert.equal(keyOf(reversed), keyOf(one));
      assert.equal(keyOf(one) === keyOf(other), attributesKey(one) === attributesKey(other));
    }),
  );
  assert.equal(keyOf({ 'process.pid': 7, 'host.name': 'a]"b' }).includes('process'), false);
  assert.notEqual(keyOf({ a: 1, b: 23 }), keyOf({ a: 12, b: 3 }));
  assert.notEqual(keyOf({ a: '1]2' }), keyOf({ a: 1, b: 2 }));
});

test('compareResourceKeys orders by name and value of each attribute in turn, however keys are written', () => {
  const inOrder = [
    {},
    { 'host.name': 'a' },
    { 'host.name': 'a', id: 1 },
    // The key of a resource with NaN contains the names.
    { 'host.name': 'a', id: NaN },
    { 'host.name': 'a', pid: 1 },
    { 'host.name': 'a"]b', pid: 1 },
    { 'host.name': 'a"]c', id: 1 },
    { 'host.name': 'a\\', id: 2, 'process.pid': 1 },
    { 'host.name': 'b', id: 0 },
    { id: 0 },
  ].map(keyOf);
  assert.deepEqual(inOrder.toReversed().toSorted(compareResourceKeys), inOrder);
  for (const key of inOrder) assert.equal(compareResourceKeys(key, key), 0);
});

test('resourceKey distinguishes and orders also more values of a name than keys refer to', () => {
  const resources = Array.from({ length: 300 }, (_, i) => ({ 'container.id': `container ${1000 + i}` }));
  const keys = resources.map(keyOf);
  assert.deepEqual(resources.map(keyOf), keys);
  assert.equal(new Set(keys).size, keys.length);
  assert.deepEqual(keys.toReversed().toSorted(compareResourceKeys), keys);
});

/** Few names and values, so that attributes of two sets are often equal up to some place. */
const fewAttributes = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'd'),
  fc.oneof(
    fc.constantFrom<AttributeValue>(NaN, -Infinity, 1, 12, true, '', 'NaN', ']1', ']2', '"]1', '"]2', '\\'),
    // Long enough that keys refer to them.
    fc.constantFrom(
      'a long text',
      'a long text]1',
      'a long text]2',
      'a long text"]1',
      'a long text\\',
      '#1234567',
    ),
  ),
);

/** Names and values in turn. NaN is written like a number, and a bracket ends a value in keys, too. */
function textsOf(attributes: Attributes): readonly string[] {
  const texts = Object.entries(attributes).map(([name, value]) => {
    return [name, `${typeof value === 'number' ? value : JSON.stringify(value)}]`];
  });
  return texts.toSorted(([one = ''], [other = '']) => (one < other ? -1 : 1)).flat();
}

function compareTexts(one: readonly string[], other: readonly string[]): number {
  const differing = one.findIndex((text, i) => text !== other[i]);
  const [text, otherText] = [one[differing], other[differing]];
  if (text === undefined) return one.length === other.length ? 0 : -1;
  return otherText === undefined || text > otherText ? 1 : -1;
}

test('compareResourceKeys orders any resources like lists of their names and values', () => {
  holdsFor(fc.tuple(fewAttributes, fewAttributes), ([one, other]) => {
    assert.equal(compareResourceKeys(keyOf(one), keyOf(other)), compareTexts(textsOf(one), textsOf(other)));
  });
});

/** The key of a process of a container. */
function keyInContainer(id: number, attributes = {}): string {
  return keyOf({ 'container.id': `${id}`, 'process.pid': 7, ...attributes });
}

test('compareResourceKeys does not move resources that get another name among others', () => {
  const named = keyInContainer(2, { 'container.name': 'web', 'k8s.pod.name': 'a' });
  for (const two of [keyInContainer(2), named]) {
    assert.equal(compareResourceKeys(keyInContainer(1), two), -1);
    assert.equal(compareResourceKeys(two, keyInContainer(1)), 1);
    assert.equal(compareResourceKeys(two, keyInContainer(3)), -1);
  }
});

test('deriveSeries changes some fields, and keeps the publisher of the series that it comes from', () => {
  const from = seriesOf();
  setPublisher(from, 'rapl');
  const derived = deriveSeries(from, { attributes: { id: 2 } });
  assert.deepEqual(derived, seriesOf({ attributes: { id: 2 } }));
  assert.deepEqual([publisherOf(derived), publisherOf(deriveSeries(derived))], ['rapl', 'rapl']);
  assert.deepEqual(from, seriesOf(), 'the series itself is as it was');
});

test('inheritPublisher leaves a publisher alone, where the other series has none', () => {
  const own = seriesOf();
  setPublisher(own, 'rapl');
  inheritPublisher(own, seriesOf());
  inheritPublisher(own, own);
  assert.deepEqual([publisherOf(own), publisherOf(seriesOf())], ['rapl', undefined]);
});

const anySeries = fc
  .record({ name: fc.constantFrom('a', 'b'), attributes: anyAttributes, resource: anyAttributes })
  .map(({ name, attributes, resource }) =>
    seriesOf({ metric: { ...metric, name }, attributes, resource: { attributes: resource } }),
  );

const partsOf = ({ metric: { name }, attributes, resource }: Series) => [
  name,
  attributesKey(attributes),
  resourceKey(resource),
];

test('seriesKey is the same exactly where name, attributes and resource are', () => {
  holdsFor(fc.tuple(anySeries, anySeries), ([one, other]) => {
    const isSame = isDeepStrictEqual(partsOf(one), partsOf(other));
    assert.equal(seriesKey(one) === seriesKey(other), isSame);
    assert.equal(seriesKey(deriveSeries(one, { start: 9n })), seriesKey(one));
  });
});

test('deriveSeries makes another series, also without a change, with no publisher where none is known', () => {
  const from = seriesOf();
  const derived = deriveSeries(from);
  assert.deepEqual(derived, from);
  assert.notEqual(derived, from);
  setPublisher(from, 'rapl');
  assert.equal(publisherOf(derived), undefined);
});

test('inheritPublisher replaces the publisher by that of the other series', () => {
  const [own, from] = [seriesOf(), seriesOf()];
  setPublisher(own, 'rapl');
  setPublisher(from, 'nvml');
  inheritPublisher(own, from);
  assert.deepEqual([publisherOf(own), publisherOf(from)], ['nvml', 'nvml']);
});

test('attributesKey distinguishes numbers that JSON does not have, from each other and from texts', () => {
  const values = [NaN, Infinity, -Infinity, 'NaN', 'Infinity', 0, '0', false, 'false', ''];
  const keys = values.map((value) => attributesKey({ a: value }));
  assert.equal(new Set(keys).size, values.length);
  assert.equal(attributesKey({ a: NaN }), attributesKey({ a: NaN }));
});

test('attributesKey orders names also where a value is no number of JSON', () => {
  assert.equal(attributesKey({ b: NaN, a: 1, c: 'x' }), attributesKey({ c: 'x', a: 1, b: NaN }));
  assert.notEqual(attributesKey({ a: NaN, b: 1 }), attributesKey({ a: 1, b: NaN }));
  assert.notEqual(attributesKey({ a: NaN, b: 1 }), attributesKey({ c: NaN, b: 1 }));
});

test('attributesKey is a text that shows names and values', () => {
  assert.equal(attributesKey({ b: 2, a: 'x' }), '[["a","x"],["b",2]]');
  assert.equal(attributesKey({ b: -Infinity, a: true }), '[["a",true],["b",["-Infinity"]]]');
});

test('setPublisher records the last publisher, for this series only', () => {
  const [one, other] = [seriesOf(), seriesOf()];
  setPublisher(one, 'first');
  setPublisher(one, 'second');
  assert.deepEqual([publisherOf(one), publisherOf(other)], ['second', undefined]);
});
