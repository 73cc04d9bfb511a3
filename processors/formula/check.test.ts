import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { schema } from './config.js';
import { factory } from './factory.js';

test('formula reports what is wrong with a formula', () => {
  const inputs = [{ name: 'a', metric: 'm' }];
  assert.match(problemsOf({}), /formulas\[0\]\.name: expected the name of a metric, found none/u);
  assert.match(problemsOf({ name: 'x' }), /inputs: expected at least one, found none/u);
  assert.match(
    problemsOf({ name: 'x', inputs, expression: 'b * 2' }),
    /expected one of the inputs a, found "b"/u,
  );
  assert.match(
    problemsOf({ name: 'x', inputs, expression: 'a *' }),
    /expression: expected an expression, found "a \*"/u,
  );
  assert.match(problemsOf({ name: 'x', inputs, expression: 'a.b' }), /found a MemberExpression/u);
  assert.match(
    problemsOf({ name: 'x', inputs, expression: 'sin(a)' }),
    /expected a function of abs ceil .*, found "sin"/u,
  );
  assert.match(
    problemsOf({ name: 'x', inputs, expression: 'abs(a, 1)' }),
    /expected 1 argument of abs\(\), found 2/u,
  );
  assert.match(problemsOf({ name: 'x', inputs, expression: '"a"' }), /expected a number, found "a"/u);
  assert.match(problemsOf({ name: 'x', inputs, expression: 'a.constructor("x")' }), /expected a function/u);
  assert.match(
    problemsOf({ name: 'x', inputs: [...inputs, ...inputs] }),
    /expected each name once, found "a" twice/u,
  );
  assert.match(
    problemsOf({ name: 'x', inputs: [{ name: 'a b', metric: 'm' }] }),
    /expected letters, digits and _/u,
  );
});

test('formula rejects formulas whose results would be the same series', () => {
  const formula = { name: 'x', expression: 'a', inputs: [{ name: 'a', metric: 'm' }] };
  assert.match(
    problemsOf(formula, { ...formula, expression: '2 * a' }),
    /^formulas\[1\]\.name: expected each name with the same "group_by" once, found "x" twice$/u,
  );
  assert.match(
    problemsOf(formula, { ...formula, group_by: ['host.name'], unit: 'J' }),
    /^formulas\[1\]\.name: expected a name of its own, or .* found gauge in "J" and gauge in "1"$/u,
  );
  assert.equal(problemsOf(formula, { ...formula, group_by: ['host.name'] }), '');
  assert.match(
    problemsOf({ ...formula, expression: null }),
    /expression: expected an expression, found none/u,
  );
});

test('formula rejects names that it cannot use, and several expressions', () => {
  const formula = { name: 'x', expression: 'a', inputs: [{ name: 'a', metric: 'm' }] };
  const change = (changed: object) => problemsOf({ ...formula, ...changed });
  assert.match(change({ name: 'm' }), /name: expected another name than those of its inputs, found "m"/u);
  assert.match(change({ name: '' }), /name: expected the name of a metric, found none/u);
  assert.match(change({ group_by: [''] }), /group_by: expected names of attributes, found ""/u);
  assert.match(change({ expression: 'a; a' }), /expression: expected one expression, found several/u);
});

/** What is wrong with some formulas. */
function problemsOf(...formulas: readonly object[]): string {
  return (factory.check?.(parseSettings(schema, { formulas })) ?? []).join('\n');
}
