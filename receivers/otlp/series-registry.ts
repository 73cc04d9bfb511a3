import { Interned } from '../../src/model/interned.js';
import {
  attributesKey,
  type AnySeries,
  type Attributes,
  type HistogramMetric,
  type Metric,
  type Resource,
} from '../../src/model/series.js';
import { decodeAttributes } from '../../src/otlp/decode-attributes.js';
import { ByteCache, type Entry, type Span } from './byte-cache.js';
import {
  joinHalves,
  LiveSeries,
  type Halves,
  type MetricNode,
  type Node,
  type ResourceNode,
  type ScopeNode,
} from './live-series.js';
import type { Reason } from './rejections.js';

/** The attributes of a series may be encoded in several ways, in any order: more than these are not remembered. */
const maxEntries = 4;

/** What a point says of its series. */
export interface Sent {
  readonly start: Halves;
  readonly time: Halves;
  /** Undefined: the point has no value. */
  readonly valueType: Metric['valueType'] | undefined;
}

/** The field of a point that holds an attribute. */
const attributeFields = {
  gauge: 7,
  counter: 7,
  updowncounter: 7,
  histogram: 9,
  exponential_histogram: 1,
} as const;

const root = {};

/** The series that points arrive for: one object each, from the first point to the end. */
export class SeriesRegistry {
  readonly #maxSeries: number;
  readonly #resources = new Interned<Resource>(({ attributes }) => attributesKey(attributes));
  readonly #attributes = new Interned<Attributes>(attributesKey);
  readonly #metrics = new Interned<Metric | HistogramMetric>((metric) => {
    const { name, unit, description, kind } = metric;
    return JSON.stringify([name, unit, description, kind, 'valueType' in metric && metric.valueType]);
  });
  readonly #live = new Map<string, LiveSeries>();
  readonly resourceNodes = new ByteCache<ResourceNode>();
  readonly scopeNodes = new ByteCache<ScopeNode>();
  readonly metricNodes = new ByteCache<MetricNode>();
  readonly points = new ByteCache<LiveSeries>();
  /** The number of the request that is being read. */
  request = 0;
  /** When it came, on a monotonic clock. */
  #requestMs = 0;
  #lastStart: Halves = { high: 0, low: 0 };
  /** Those of this request: what turns out to hold no series is forgotten. */
  #fresh: (ResourceNode | ScopeNode | MetricNode)[] = [];

  constructor(maxSeries: number) {
    this.#maxSeries = maxSeries;
  }

  /** How many series are live. */
  get size(): number {
    return this.#live.size;
  }

  get live(): Iterable<LiveSeries> {
    return this.#live.values();
  }

  /** @param nowMs the time on a monotonic clock */
  beginRequest(nowMs: number): void {
    this.request += 1;
    this.#requestMs = nowMs;
  }

  /** The request that is being read has a point of the series. */
  note(one: LiveSeries): void {
    one.request = this.request;
    one.seenMs = this.#requestMs;
  }

  /** @param span the bytes of a `Resource` */
  findResource(span: Span): ResourceNode {
    const known = this.resourceNodes.find(root, span);
    if (known) return known.value;
    const resource = this.#resources.find({ attributes: decodeAttributes(span.copy(), 1) });
    const node: ResourceNode = { resource, children: 0, entry: undefined };
    node.entry = this.resourceNodes.add(root, span, node);
    this.#fresh.push(node);
    return node;
  }

  addScope(parent: ResourceNode, span: Span, name: string): ScopeNode {
    const node: ScopeNode = { parent, name, children: 0, entry: undefined };
    node.entry = this.scopeNodes.add(parent, span, node);
    parent.children += 1;
    this.#fresh.push(node);
    return node;
  }

  addMetric(span: Span, described: Omit<MetricNode, keyof Node>): MetricNode {
    const node: MetricNode = { ...described, children: 0, entry: undefined };
    node.entry = this.metricNodes.add(node.parent, span, node);
    node.parent.children += 1;
    this.#fresh.push(node);
    return node;
  }

  /**
   * Finds or begins the series of a point that was not found by its bytes.
   * @param span the attributes of the point
   * @returns why there is none
   */
  open(node: MetricNode, span: Span, sent: Sent): LiveSeries | Reason {
    const attributes = this.#attributes.find(decodeAttributes(span.copy(), attributeFields[node.kind]));
    const key = this.#keyOf(node, attributes);
    const known = this.#live.get(key);
    if (known && known.node.parent.name !== node.parent.name) return 'scope';
    if (known?.node.kind === node.kind && known.node.isDelta === node.isDelta) {
      this.#addEntry(known, span, node);
      return known;
    }
    if (!known && this.#live.size >= this.#maxSeries) {
      this.#attributes.forgetUnused(attributes);
      return 'limit';
    }
    const added = this.#begin(node, attributes, sent, startOf(node, sent));
    if (known) this.#replace(known, added, { keepsEntries: false });
    this.#live.set(key, added);
    this.#addEntry(added, span, node);
    return added;
  }

  /** Begins the series that takes the place of one: a counter that was reset, a value of another type. */
  restart(old: LiveSeries, sent: Sent, start: bigint): LiveSeries {
    const added = this.#begin(old.node, old.series.attributes, sent, start);
    this.#replace(old, added, { keepsEntries: true });
    this.#live.set(this.#keyOf(old.node, old.series.attributes), added);
    return added;
  }

  /** Forgets a series. */
  end(one: LiveSeries): void {
    one.isOver = true;
    const key = this.#keyOf(one.node, one.series.attributes);
    if (this.#live.get(key) === one) this.#live.delete(key);
    for (const entry of one.entries.splice(0)) this.#dropEntry(entry);
    this.#release(one.series);
  }

  /** Forgets what a request named and has no series of. */
  forgetUnused(): void {
    for (const node of this.#fresh.splice(0).toReversed()) if (node.children === 0) this.#forget(node);
  }

  #keyOf({ name, parent }: MetricNode, attributes: Attributes): string {
    const { resource } = parent.parent;
    return `${this.#resources.idOf(resource)} ${this.#attributes.idOf(attributes)} ${name}`;
  }

  #begin(node: MetricNode, attributes: Attributes, sent: Sent, start: bigint): LiveSeries {
    const { name, unit, description, kind } = node;
    const valueType = sent.valueType ?? 'double';
    const isHistogram = kind === 'histogram' || kind === 'exponential_histogram';
    const metric = isHistogram
      ? { name, unit, description, kind }
      : { name, unit, description, kind, valueType };
    const series: AnySeries = {
      metric: this.#metrics.find(metric),
      resource: node.parent.parent.resource,
      attributes,
      start,
    };
    this.#metrics.retain(series.metric);
    this.#resources.retain(series.resource);
    this.#attributes.retain(series.attributes);
    const added = new LiveSeries(series, node, this.#startOf(sent));
    added.valueType = sent.valueType;
    added.request = this.request;
    return added;
  }

  /** The same object for the series that begin at the same time, which are many: it is read with each point. */
  #startOf({ start }: Sent): Halves {
    const { high, low } = this.#lastStart;
    if (start.high !== high || start.low !== low) this.#lastStart = start;
    return this.#lastStart;
  }

  #release({ metric, resource, attributes }: AnySeries): void {
    this.#metrics.release(metric);
    this.#resources.release(resource);
    this.#attributes.release(attributes);
  }

  #replace(old: LiveSeries, added: LiveSeries, { keepsEntries }: { readonly keepsEntries: boolean }): void {
    old.isReplaced = true;
    // One that never had a row leaves nothing to be ended but what it was to replace itself.
    added.replaces = old.isBegun || old.request === this.request ? old : old.replaces;
    for (const entry of old.entries.splice(0)) {
      if (!keepsEntries) this.#dropEntry(entry);
      else {
        entry.value = added;
        added.entries.push(entry);
      }
    }
    this.#release(old.series);
  }

  #addEntry(one: LiveSeries, span: Span, node: MetricNode): void {
    node.children += 1;
    one.entries.push(this.points.add(node, span, one));
    const [oldest] = one.entries;
    if (one.entries.length <= maxEntries || !oldest) return;
    one.entries.shift();
    this.#dropEntry(oldest);
  }

  #dropEntry(entry: Entry<LiveSeries>): void {
    // Owners of these entries are metrics.
    const node = entry.owner as MetricNode | undefined;
    this.points.delete(entry);
    if (node) this.#leave(node);
  }

  #leave(node: ResourceNode | ScopeNode | MetricNode): void {
    node.children -= 1;
    if (node.children === 0) this.#forget(node);
  }

  #forget(node: ResourceNode | ScopeNode | MetricNode): void {
    const { entry } = node;
    if (entry === undefined) return;
    node.entry = undefined;
    if (!('parent' in node)) {
      this.resourceNodes.delete(entry as Entry<ResourceNode>);
      this.#resources.forgetUnused(node.resource);
    } else {
      if ('kind' in node) this.metricNodes.delete(entry as Entry<MetricNode>);
      else this.scopeNodes.delete(entry as Entry<ScopeNode>);
      this.#leave(node.parent);
    }
  }
}

/** Deltas count from the start of the first; where that is unknown, from its time. */
function startOf({ isDelta }: MetricNode, { start, time }: Sent): bigint {
  const { high, low } = isDelta && start.high === 0 && start.low === 0 ? time : start;
  return joinHalves(high, low);
}
