import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlans, findOrAdd } from './plan.js';

test('createPlans computes a plan once for each object, also one that is false or empty', () => {
  const built: object[] = [];
  const planOf = createPlans((key: readonly number[]) => {
    built.push(key);
    return key.length;
  });
  const [empty, one, alike] = [[], [1], [1]];
  assert.deepEqual([planOf(empty), planOf(one), planOf(alike), planOf(empty), planOf(one)], [0, 1, 1, 0, 1]);
  assert.deepEqual(built, [empty, one, alike]);
});

test('createPlans gives a function of its own to each caller', () => {
  const key = {};
  const [first, second] = [createPlans(() => 'first'), createPlans(() => 'second')];
  assert.deepEqual([first(key), second(key), first(key)], ['first', 'second', 'first']);
});

test('createPlans keeps nothing of a build that failed', () => {
  let attempts = 0;
  const planOf = createPlans(() => {
    attempts += 1;
    if (attempts === 1) throw new Error('not now');
    return attempts;
  });
  const key = {};
  assert.throws(() => planOf(key), /not now/);
  assert.equal(planOf(key), 2);
});

const create = (key: string) => [key];

test('findOrAdd creates what is missing once, with its key, and gives the rest as it is', () => {
  const map = new Map<string, string[]>([['a', ['x']]]);
  findOrAdd(map, 'a', create).push('y');
  findOrAdd(map, 'b', create).push('z');
  assert.equal(findOrAdd(map, 'b', create), map.get('b'));
  assert.deepEqual(
    [...map],
    [
      ['a', ['x', 'y']],
      ['b', ['b', 'z']],
    ],
  );
});

test('createPlans lets a build ask for the plan of another object', () => {
  interface Node {
    readonly parent?: Node;
  }
  const depthOf: (node: Node) => number = createPlans(({ parent }: Node) =>
    parent ? depthOf(parent) + 1 : 0,
  );
  const root = {};
  assert.deepEqual([depthOf({ parent: { parent: root } }), depthOf(root)], [2, 0]);
});

function fail(key: string): never {
  throw new Error(`nothing for ${key}`);
}

test('findOrAdd takes 0 and an empty text for values, and adds nothing when create fails', () => {
  const map = new Map<string, number | string>([
    ['zero', 0],
    ['empty', ''],
  ]);
  assert.deepEqual([findOrAdd(map, 'zero', fail), findOrAdd(map, 'empty', fail)], [0, '']);
  assert.throws(() => findOrAdd(map, 'other', fail), /nothing for other/);
  assert.equal(map.size, 2);
});
