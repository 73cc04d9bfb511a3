import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkViews, type ViewSettings } from './views.js';

function checkWith(settings: Partial<ViewSettings>): readonly string[] {
  return checkViews({ views: ['process', 'program'], custom_views: [], ...settings });
}

test('checkViews rejects unknown views, views without attributes and metrics of two views', () => {
  assert.deepEqual(checkWith({}), []);
  const own = { metric: 'team.energy', group_by: ['k8s.pod.label.team|process.owner'], keep: [] };
  assert.deepEqual(checkWith({ views: [], custom_views: [own] }), []);
  assert.deepEqual(checkWith({ views: ['pods'] }), [
    'views: expected some of process, program, cgroup, unit, container, pod, namespace, job, user, service, vm, found "pods"',
  ]);
  assert.deepEqual(checkWith({ custom_views: [{ ...own, metric: 'team' }] }), [
    'custom_views[0].metric: expected a name that ends in ".energy", found "team"',
  ]);
  for (const group_by of [[], ['a|']]) {
    assert.deepEqual(checkWith({ custom_views: [{ ...own, group_by }] }), [
      `custom_views[0].group_by: expected names of attributes, found ${JSON.stringify(group_by)}`,
    ]);
  }
  for (const metric of ['program.energy', 'hw.energy']) {
    assert.deepEqual(checkWith({ custom_views: [{ ...own, metric }] }), [
      `views: expected a metric of its own for each view, found "${metric}" twice`,
    ]);
  }
  assert.deepEqual(checkWith({ views: ['unit'], custom_views: [{ ...own, metric: 'program.energy' }] }), []);
});
