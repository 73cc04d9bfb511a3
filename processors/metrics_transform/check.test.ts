import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSettings } from './rig.fixture.js';

/** Settings that the Collector rejects, or supports and this processor does not, with what to write instead. */
const refused = [
  [{ action: 'update' }, 'transforms[0].include: expected the name of a metric, found none'],
  [{ include: 'a' }, 'transforms[0].action: expected update, insert, combine or group, found none'],
  [
    { include: 'a', action: 'insert' },
    'transforms[0].new_name: expected the name of the metric that "insert" adds, found none',
  ],
  [
    { include: 'a', action: 'combine' },
    'transforms[0].new_name: expected the name of the metric that "combine" adds, found none',
  ],
  [
    { include: 'a', action: 'group' },
    'transforms[0].group_resource_labels: expected attributes of the resource for "group", found none',
  ],
  [
    { include: '(a', match_type: 'regexp', action: 'update' },
    'transforms[0].include: expected a regular expression, found "(a": Invalid regular expression: /(a/: Unterminated group',
  ],
  [
    { include: 'a', action: 'update', operations: [{ action: 'update_label' }] },
    'transforms[0].operations[0].label: expected a value for "update_label", found none',
  ],
  [
    { include: 'a', action: 'update', operations: [{ action: 'add_label', new_label: 'b' }] },
    'transforms[0].operations[0].new_value: expected a value for "add_label", found none',
  ],
  [
    { include: 'a', action: 'update', operations: [{ action: 'experimental_scale_value' }] },
    'transforms[0].operations[0].experimental_scale: expected a value for "experimental_scale_value", found none',
  ],
  [
    {
      include: 'a',
      action: 'update',
      operations: [{ action: 'experimental_scale_value', experimental_scale: -1 }],
    },
    'transforms[0].operations[0].experimental_scale: expected more than 0, found -1',
  ],
  [
    { include: 'a', action: 'update', operations: [{ action: 'aggregate_labels', label_set: ['b'] }] },
    'transforms[0].operations[0].aggregation_type: expected a value for "aggregate_labels", found none',
  ],
  [
    {
      include: 'a',
      action: 'update',
      operations: [
        { action: 'aggregate_labels', label_set: ['b', 'c'], aggregation_type: 'sum' },
        { action: 'aggregate_labels', label_set: ['b'], aggregation_type: 'mean' },
      ],
    },
    'transforms[0]: expected one way to aggregate, found sum, mean; write a second transform, of the new name, for the next',
  ],
  [
    {
      include: 'a',
      action: 'update',
      operations: [
        { action: 'aggregate_labels', label_set: ['b'], aggregation_type: 'mean' },
        { action: 'toggle_scalar_data_type' },
      ],
    },
    'transforms[0].operations[1]: expected no toggle_scalar_data_type after a mean, which is a double, found one; write a second transform for it',
  ],
  [
    {
      include: 'a',
      action: 'update',
      operations: [
        { action: 'aggregate_labels', label_set: ['b', 'c'], aggregation_type: 'mean' },
        { action: 'aggregate_labels', label_set: ['b'], aggregation_type: 'mean' },
      ],
    },
    'transforms[0]: expected one way to aggregate, found mean, mean; write a second transform, of the new name, for the next',
  ],
  [
    {
      include: 'a',
      action: 'group',
      group_resource_labels: { b: 'c' },
      operations: [{ action: 'toggle_scalar_data_type' }],
    },
    'transforms[0].operations: expected none with "group", found some; write a second transform for them',
  ],
] as const;

for (const [transform, problem] of refused) {
  test(`metrics_transform rejects with "${problem}"`, () => {
    assert.deepEqual(checkSettings({ transforms: [transform] }), [problem]);
  });
}
