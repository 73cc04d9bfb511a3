import type { ProcessorFactory } from '../../src/component/component.js';
import { describeError } from '../../src/errors.js';
import { schema, type FormulaConfig } from './config.js';
import { compileExpression } from './expression.js';
import { Formula } from './formula.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  namedMetrics: ({ formulas }) => formulas.flatMap(({ name }) => name ?? []),
  check: ({ formulas }) => [...formulas.flatMap(checkFormula), ...formulas.flatMap(checkName)],
  create: (config, context, next) => new Formula(config, context, next),
};

function checkFormula(
  { name, expression, group_by: groupBy, inputs }: FormulaConfig,
  index: number,
): readonly string[] {
  const path = `formulas[${index}]`;
  const names = inputs.map((input) => input.name ?? '');
  const problems: string[] = [];
  if (name === null || name === '') problems.push(`${path}.name: expected the name of a metric, found none`);
  else if (inputs.some(({ metric }) => metric === name))
    problems.push(`${path}.name: expected another name than those of its inputs, found "${name}"`);
  if (groupBy.includes('')) problems.push(`${path}.group_by: expected names of attributes, found ""`);
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

/** Results of the same name must be series of one metric, and must differ in their attributes. */
function checkName(
  { name, unit, kind, group_by: groupBy }: FormulaConfig,
  index: number,
  all: readonly FormulaConfig[],
): readonly string[] {
  const others = all.slice(0, index).filter((one) => name !== null && one.name === name);
  const [other] = others;
  if (other === undefined) return [];
  const path = `formulas[${index}]`;
  if (other.unit !== unit || other.kind !== kind) {
    return [
      `${path}.name: expected a name of its own, or the unit and kind of the other formula "${name}", found ${kind} in "${unit}" and ${other.kind} in "${other.unit}"`,
    ];
  }
  const sameGroups = (one: FormulaConfig) => one.group_by.toSorted().join() === groupBy.toSorted().join();
  return others.some(sameGroups)
    ? [`${path}.name: expected each name with the same "group_by" once, found "${name}" twice`]
    : [];
}
