import type { Attributes, AttributeValue } from '../../src/model/series.js';

/** A metric of another tool, by what it is called there. */
export interface PresetRule {
  /** The metric that it is translated from. */
  readonly from: string;
  readonly name: string;
  readonly description: string;
  /** The unit of its values; undefined: as it is here. */
  readonly unit?: string;
  /** Whether the unit is part of the name, and would be there twice. */
  readonly isUnitNamed?: boolean;
  /** Whether its points are what a counter grew by since the point before. */
  readonly isGrowth?: boolean;
  /** Its labels, without those that are not known; undefined: a series that the other tool has not. */
  labels(series: LabelSource): Labels | undefined;
}

export type Labels = Readonly<Record<string, AttributeValue | undefined>>;

/** The attributes of a series and of its resource. */
export interface LabelSource {
  readonly own: Attributes;
  readonly resource: Attributes;
}
