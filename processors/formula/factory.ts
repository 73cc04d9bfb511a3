import type { ProcessorFactory } from '../../src/component/component.js';
import { describeError } from '../../src/errors.js';
import { schema, type FormulaConfig } from './config.js';
import { compileExpression } from './expression.js';
import { Formula } from './formula.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  namedMetrics: ({ formulas }) => formulas.flatMap(({ name }) => name ?? []),
  check: ({ formulas }) => formulas.flatMap(checkFormula),
  create: (config, context, next) => new Formula(config, context, next),
};

function checkFormula({ name, expression, inputs }: FormulaConfig, index: number): readonly string[] {
  const path = `formulas[${index}]`;
  const names = inputs.map((input) => input.name ?? '');
  const problems: string[] = [];
  if (name === null) problems.push(`${path}.name: expected the name of a metric, found none`);
  if (inputs.length === 0) problems.push(`${path}.inputs: expected at least one, found none`);
  for (const [i, input] of inputs.entries()) {
    const at = `${path}.inputs[${i}]`;
    if (!/^[a-z_]\w*$/iu.test(input.name ?? '')) {
      problems.push(`${at}.name: expected letters, digits and _, found "${input.name ?? ''}"`);
    }
    if (names.indexOf(input.name ?? '') < i)
      problems.push(`${at}.name: expected each name once, found "${input.name}" twice`);
    if (input.metric === null) problems.push(`${at}.metric: expected the name of a metric, found none`);
  }
  if (problems.length > 0) return problems;
  try {
    compileExpression(expression ?? '', names);
    return [];
  } catch (error) {
    return [`${path}.expression: ${describeError(error)}`];
  }
}
