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

/** What is wrong with a formula. */
function problemsOf(formula: object): string {
  return (factory.check?.(parseSettings(schema, { formulas: [formula] })) ?? []).join('\n');
}
