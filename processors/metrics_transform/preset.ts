import type { Attributes, Series } from '../../src/model/series.js';
import { alumet } from './alumet.js';
import { kepler } from './kepler.js';
import type { Labels, PresetRule } from './preset-rule.js';
import { scaphandre } from './scaphandre.js';
import type { Shape, ShapesOf } from './shape.js';
import { shapeOf } from './stage.js';
import { findUnitFactor } from './units.js';

export const presets = { alumet, kepler, scaphandre } as const;

export type PresetName = keyof typeof presets;

/** How a preset converts series; those for which it has no name are left unchanged. */
export function createPresetShapes(name: PresetName): ShapesOf {
  const rules: readonly PresetRule[] = presets[name];
  return (series) => {
    const shapes = rules.flatMap((rule) => (rule.from === series.metric.name ? translate(series, rule) : []));
    return shapes.length === 0 ? [shapeOf(series)] : shapes;
  };
}

/** Publishes counters without `_total` as up-down counters; undefined if a preset has none. */
export function createNameKeepingShapes(name: PresetName): ShapesOf | undefined {
  const rules: readonly PresetRule[] = presets[name];
  const names = new Set(rules.filter(({ hasNoTotal }) => hasNoTotal).map((rule) => rule.name));
  if (names.size === 0) return undefined;
  return (series) => {
    const shape = shapeOf(series);
    const { metric } = series;
    return [names.has(metric.name) ? { ...shape, metric: { ...metric, kind: 'updowncounter' } } : shape];
  };
}

function translate(series: Series, rule: PresetRule): readonly Shape[] {
  const { metric, resource, attributes } = series;
  const labels = rule.labels({ own: attributes, resource: resource.attributes });
  const unit = rule.unit ?? metric.unit;
  const factor = findUnitFactor(metric.unit, unit);
  if (labels === undefined || factor === undefined) return [];
  const { name, description, isUnitNamed, isGrowth = false, reduction = 'sum' } = rule;
  return [
    {
      resource,
      attributes: keepKnown(labels),
      factor,
      isGrowth,
      reduction,
      metric: {
        name,
        description,
        unit: isUnitNamed === true ? '' : unit,
        kind: isGrowth ? 'gauge' : metric.kind,
        valueType: 'double',
      },
    },
  ];
}

function keepKnown(labels: Labels): Attributes {
  return Object.fromEntries(
    Object.entries(labels).flatMap(([label, value]) => (value === undefined ? [] : [[label, value]])),
  );
}
