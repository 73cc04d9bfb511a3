import type { Attributes } from '../../src/model/series.js';

/**
 * The chosen labels or annotations that are present.
 * @param prefix of the attributes: `k8s.pod.label.`
 * @param keys to keep
 * @param labels the value of the labels field, of any type
 */
export function keepLabels(prefix: string, keys: readonly string[], labels: unknown): Attributes {
  if (typeof labels !== 'object' || labels === null) return {};
  const all = new Map<string, unknown>(Object.entries(labels));
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = all.get(key);
      return typeof value === 'string' ? [[`${prefix}${key}`, value]] : [];
    }),
  );
}
