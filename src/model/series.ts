/** A value that OpenTelemetry lets an attribute have, as far as this collector needs it. */
export type AttributeValue = string | number | boolean;

/** Attribute names and values. Never changed once a series or a resource holds them. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/**
 * gauge: a value of its instant. counter: a cumulative sum that never falls. updowncounter: a sum that may
 * fall.
 */
export type MetricKind = 'gauge' | 'counter' | 'updowncounter';

/** What is measured. One object per metric of a component, shared by all its series. */
export interface Metric {
  /** By the semantic conventions where they know it, say `hw.energy`. */
  readonly name: string;
  /** UCUM, case sensitive, without prefixes: `J`, `W`, `s`, `By`, `1`, `{process}`. */
  readonly unit: string;
  readonly description: string;
  readonly kind: MetricKind;
  /** How the value travels. In a table it is a double in either case. */
  readonly valueType: 'int' | 'double';
}

/** Who is measured: the machine, a process, a container. Made once and shared by all its series. */
export interface Resource {
  readonly attributes: Attributes;
}

/** One metric of one resource with one attribute set. Made once by its receiver, known by identity. */
export interface Series {
  readonly metric: Metric;
  readonly resource: Resource;
  readonly attributes: Attributes;
  /** Counters: Unix time in nanoseconds at which the count was 0. Others: when the series began. */
  readonly start: bigint;
}
