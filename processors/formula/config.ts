import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { windowSetting } from '../../src/windows/window-rows.js';

const input = {
  name: { doc: 'Name of the input in the expression.', format: 'string', default: null },
  metric: { doc: 'Name of the metric.', format: 'string', default: null },
  attributes: {
    doc: 'Attributes that its series have, of their own or of their resource; others are left out.',
    format: 'string_map',
    default: {},
  },
  take: {
    doc: 'Which value of a series is used: `growth`, of a counter within the window; `rate`, its growth per second; or `value`, of a counter at the end of the window, and of other metrics the mean over the window. `auto`: growth of counters, value of others.',
    format: ['auto', 'growth', 'rate', 'value'],
    default: 'auto',
  },
  combine: {
    doc: 'How several series of one group are combined.',
    format: ['sum', 'mean', 'min', 'max'],
    default: 'sum',
  },
} as const satisfies Schema;

const formula = {
  name: { doc: 'Name of the resulting metric.', format: 'string', default: null },
  expression: { doc: 'The expression, over the names of its inputs.', format: 'string', default: null },
  unit: { doc: 'Unit of the result, in UCUM.', format: 'string', default: '1' },
  description: { doc: 'Description of the metric.', format: 'string', default: null },
  kind: {
    doc: 'What the metric is: `gauge`, the result of each window, or `counter`, the sum of the results, which must not be negative.',
    format: ['gauge', 'counter'],
    default: 'gauge',
  },
  group_by: {
    doc: 'Attributes, of series or of their resources: there is a result for each combination of their values. Inputs without one of them count for all of its values.',
    format: 'string_list',
    default: [],
  },
  inputs: { doc: 'Inputs of the expression.', format: 'list', items: input, default: [] },
} as const satisfies Schema;

export const schema = {
  window: windowSetting,
  max_lag: {
    doc: 'How long a window waits for inputs that have no reading at its end yet; without them it has no result.',
    format: 'duration',
    default: '30s',
    min: 1,
  },
  formulas: { doc: 'The formulas.', format: 'list', items: formula, default: [] },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type FormulaConfig = Config['formulas'][number];
export type InputConfig = FormulaConfig['inputs'][number];
