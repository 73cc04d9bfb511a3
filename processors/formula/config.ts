import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { windowSetting } from '../../src/windows/window-rows.js';

const input = {
  name: { doc: 'Name of the input in the expression.', format: 'string', default: null },
  metric: { doc: 'Name of the metric.', format: 'string', default: null },
  attributes: {
    doc: 'Attributes, of their own or of their resource, that series must have. Series without them are not used.',
    format: 'string_map',
    default: {},
  },
  take: {
    doc: 'Which value of a series is used. `growth`: by how much a counter grew within the window. `rate`: its growth per second. `value`: a counter at the end of the window, the mean of any other metric over the window. `auto`: `growth` of counters, `value` of other metrics.',
    format: ['auto', 'growth', 'rate', 'value'],
    default: 'auto',
  },
  combine: {
    doc: 'How several series of one group are combined to one value.',
    format: ['sum', 'mean', 'min', 'max'],
    default: 'sum',
  },
} as const satisfies Schema;

const formula = {
  name: { doc: 'Name of the resulting metric.', format: 'string', default: null },
  expression: { doc: 'Expression to compute from the names of its inputs.', format: 'string', default: null },
  unit: { doc: 'Unit of the result, in the notation of UCUM.', format: 'string', default: '1' },
  description: { doc: 'Description of the metric.', format: 'string', default: null },
  kind: {
    doc: 'Kind of the metric. `gauge`: the result of each window. `counter`: the sum of the results of all windows; a negative result is a gap.',
    format: ['gauge', 'counter'],
    default: 'gauge',
  },
  group_by: {
    doc: 'Attributes, of series or of their resources, that define a group: there is a result for each combination of their values. An input that lacks one of them is used for all of its values.',
    format: 'string_list',
    default: [],
  },
  inputs: { doc: 'Inputs of the expression.', format: 'list', items: input, default: [] },
} as const satisfies Schema;

export const schema = {
  window: windowSetting,
  max_lag: {
    doc: 'How long a window waits for inputs that have no reading at its end yet. Without them it has no result.',
    format: 'duration',
    default: '30s',
    min: 1,
  },
  formulas: { doc: 'Formulas to compute.', format: 'list', items: formula, default: [] },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type FormulaConfig = Config['formulas'][number];
export type InputConfig = FormulaConfig['inputs'][number];
