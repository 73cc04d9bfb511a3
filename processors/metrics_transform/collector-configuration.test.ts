import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSettings, createRig, describeLast, metricOf, seriesOf } from './rig.fixture.js';

test('metrics_transform applies the full configuration of the Collector, one transform after another', () => {
  const settings = {
    transforms: [
      {
        include: 'name1',
        match_type: 'strict',
        action: 'insert',
        new_name: 'new_name',
        operations: [{ action: 'add_label', new_label: 'my_label', new_value: 'my_value' }],
      },
      {
        include: 'new_name',
        action: 'insert',
        new_name: 'new_name_copy_1',
        match_type: 'strict',
        experimental_match_labels: { my_label: 'my_value' },
      },
      {
        include: 'new_name',
        action: 'insert',
        new_name: 'new_name_copy_2',
        match_type: 'regexp',
        experimental_match_labels: { my_label: '.*label' },
      },
      {
        include: 'name2',
        action: 'update',
        operations: [
          {
            action: 'update_label',
            label: 'label',
            new_label: 'new_label_key',
            value_actions: [{ value: 'label1', new_value: 'new_label1' }],
          },
          { action: 'aggregate_labels', label_set: ['new_label_key', 'label2'], aggregation_type: 'sum' },
          {
            action: 'aggregate_label_values',
            label: 'new_label_key',
            aggregated_values: ['value1', 'new_label1'],
            new_value: 'new_value',
            aggregation_type: 'sum',
          },
        ],
      },
      {
        include: 'name3',
        match_type: 'strict',
        action: 'update',
        operations: [{ action: 'delete_label_value', label: 'my_label', label_value: 'delete_me' }],
      },
      {
        include: '^regexp (?P<my_label>.*)$',
        match_type: 'regexp',
        action: 'combine',
        new_name: 'combined_metric_name',
        submatch_case: 'lower',
      },
    ],
  };
  assert.deepEqual(checkSettings(settings), []);
  const { feed, next } = createRig(settings);
  const [name2, name3] = [metricOf('name2'), metricOf('name3')];
  const series = [
    seriesOf(metricOf('name1')),
    seriesOf(name2, { label: 'label1', cpu: 0 }),
    seriesOf(name2, { label: 'value1', cpu: 1 }),
    seriesOf(name3, { my_label: 'delete_me' }),
    seriesOf(name3, { my_label: 'keep_me' }),
    seriesOf(metricOf('regexp ONE')),
  ];
  feed(series, 1, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(describeLast(next.tables), [
    'name1{} 1',
    'new_name{my_label=my_value} 1',
    'new_name_copy_1{my_label=my_value} 1',
    'name2{new_label_key=new_value} 5',
    'name3{my_label=keep_me} 5',
    'combined_metric_name{my_label=one} 6',
  ]);
});
