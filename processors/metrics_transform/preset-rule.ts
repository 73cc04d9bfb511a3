import type { Reduction } from '../../src/model/mapped-series.js';
import type { Attributes, AttributeValue } from '../../src/model/series.js';

/** A metric of another tool, with its name there. */
export interface PresetRule {
  /** The metric from which it is converted. */
  readonly from: string;
  readonly name: string;
  readonly description: string;
  /** The unit of its values; undefined: unchanged. */
  readonly unit?: string;
  /** Whether the name already contains the unit, which must not be appended again. */
  readonly isUnitNamed?: boolean;
  /** Whether its points are the growth of a counter since the previous point. */
  readonly isGrowth?: boolean;
  /**
   * Whether it is a counter whose name there does not end in `_total`, the suffix of every counter on a page for
   * Prometheus: it is summed as a counter, which never falls, and published as an up-down counter.
   */
  readonly hasNoTotal?: boolean;
  /** How series that become the same are combined; undefined: summed. */
  readonly reduction?: Reduction;
  /** Its labels, without unknown ones; undefined: the other tool has no such series. */
  labels(series: LabelSource): Labels | undefined;
}

export type Labels = Readonly<Record<string, AttributeValue | undefined>>;

/** The attributes of a series and of its resource. */
export interface LabelSource {
  readonly own: Attributes;
  readonly resource: Attributes;
}

/** Workloads without a container, a pod or a virtual machine are the group `none` here, and do not exist in other tools. */
export function withoutNone(value: AttributeValue | undefined): AttributeValue | undefined {
  return value === 'none' ? undefined : value;
}
