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

/** Senders can encode the attributes of a series differently, in any order: at most this many encodings are cached. */
const maxEntries = 4;

/** What a point contains about its series. */
export interface Sent {
  readonly start: Halves;
  readonly time: Halves;
  /** Undefined: the point has no value. */
  readonly valueType: Metric['valueType'] | undefined;
}

/** The number of the field with the attributes of a point. */
const attributeFields = {
  gauge: 7,
  counter: 7,
  updowncounter: 7,
  histogram: 9,
  exponential_histogram: 1,
} as const;

const root = {};

/** The series that receive points: one object each, from the first point to the end. */
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
  /** Number of the current request. */
  request = 0;
  /** When the request arrived, on a monotonic clock. */
  #requestMs = 0;
  #lastStart: Halves = { high: 0, low: 0 };
  /** Nodes that this request added: those without series are removed. */
  #fresh: (ResourceNode | ScopeNode | MetricNode)[] = [];

  constructor(maxSeries: number) {
    this.#maxSeries = maxSeries;
  }

  /** The number of live series. */
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

  /** Notes that the current request has a point of the series. */
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
   * Finds or creates the series of a point that is not in the cache.
   * @param span the attributes of the point
   * @returns the series, or the reason why the point is rejected
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

  /** Creates the series that replaces one: for a counter that was reset, or a value of another type. */
  restart(old: LiveSeries, sent: Sent, start: bigint): LiveSeries {
    const added = this.#begin(old.node, old.series.attributes, sent, start);
    this.#replace(old, added, { keepsEntries: true });
    this.#live.set(this.#keyOf(old.node, old.series.attributes), added);
    return added;
  }

  /** Removes a series. */
  end(one: LiveSeries): void {
    one.isOver = true;
    const key = this.#keyOf(one.node, one.series.attributes);
    if (this.#live.get(key) === one) this.#live.delete(key);
    for (const entry of one.entries.splice(0)) this.#dropEntry(entry);
    this.#release(one.series);
  }

  /** Removes the nodes of a request that have no series. */
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

  /** Many series have the same start, which is read for each point: they share one object. */
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
    // A series without rows need not be ended, but the series that it was to replace must be.
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
    // The owners of these entries are metrics.
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

/** Deltas count from the start of the first one, or from its time if it has no start. */
function startOf({ isDelta }: MetricNode, { start, time }: Sent): bigint {
  const { high, low } = isDelta && start.high === 0 && start.low === 0 ? time : start;
  return joinHalves(high, low);
}
