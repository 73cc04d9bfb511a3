import type { BufferPool } from '../export/buffer-pool.js';
import { wireTypes } from '../protobuf.js';
import type { Rows } from './columns.js';
import { metricsLength, RequestWriter } from './request-writer.js';
import type { ColumnsPlan, ResourcePlan } from './table-plan.js';
import { scopeField, type ResourceFrame } from './templates.js';
import { messageLength, tagOf } from './wire.js';

/** The part of a request for one resource. */
interface ResourceBlock {
  readonly frame: ResourceFrame;
  readonly parts: ResourcePart[];
  readonly encoded: Uint8Array[];
  /** Length of the message `ScopeMetrics`. */
  scopeLength: number;
}

/** A field `metrics` of a ScopeMetrics, already encoded. */
export interface EncodedMetric {
  readonly resource: ResourceFrame;
  readonly bytes: Uint8Array;
  readonly points: number;
  /** Maximum bytes that it adds to a request. */
  readonly maxBytes: number;
}

interface ResourcePart {
  readonly plan: ColumnsPlan;
  readonly resource: ResourcePlan;
  readonly rows: Rows;
}

const resourceMetricsTag = tagOf(1, wireTypes.lengthDelimited);
const scopeMetricsTag = tagOf(2, wireTypes.lengthDelimited);

/** Rows of tables that will become one ExportMetricsServiceRequest. */
export class RequestBuilder {
  readonly #blocks = new Map<string, ResourceBlock>();
  #points = 0;
  #maxBytes = 0;

  /** Points so far. */
  get points(): number {
    return this.#points;
  }

  /** Maximum size of the request so far, in bytes. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Adds some rows of some columns. The values are read when the request is built. */
  add(plan: ColumnsPlan, rows: Rows): void {
    for (const resource of plan.resources) this.#addPart({ plan, resource, rows });
    this.#points += plan.columns.length * rows.count;
    this.#maxBytes += plan.frameBytes + plan.rowBytes * rows.count;
  }

  /** Adds a metric that is already encoded. */
  addEncoded({ resource, bytes, points, maxBytes }: EncodedMetric): void {
    const block = this.#blockOf(resource);
    block.encoded.push(bytes);
    block.scopeLength += bytes.length;
    this.#points += points;
    this.#maxBytes += maxBytes;
  }

  #addPart(part: ResourcePart): void {
    const block = this.#blockOf(part.resource.frame);
    block.parts.push(part);
    block.scopeLength += metricsLength(part.plan, part.resource, part.rows);
  }

  #blockOf(frame: ResourceFrame): ResourceBlock {
    const known = this.#blocks.get(frame.key);
    if (known !== undefined) return known;
    const block = { frame, parts: [], encoded: [], scopeLength: scopeField.length };
    this.#blocks.set(frame.key, block);
    return block;
  }

  /** Encodes what was added: one ResourceMetrics per set of resource attributes, one scope in each. */
  build(pool: BufferPool): Buffer {
    const blocks = [...this.#blocks.values()];
    const length = blocks.reduce((sum, block) => sum + messageLength(blockLength(block)), 0);
    const writer = new RequestWriter(pool.take(length));
    for (const block of blocks) writeBlock(writer, block);
    return writer.bytes;
  }
}

/** Length of the message `ResourceMetrics`. */
function blockLength({ frame, scopeLength }: ResourceBlock): number {
  return frame.head.length + messageLength(scopeLength);
}

function writeBlock(writer: RequestWriter, block: ResourceBlock): void {
  writer.writeStart(resourceMetricsTag, blockLength(block));
  writer.writeField(block.frame.head);
  writer.writeStart(scopeMetricsTag, block.scopeLength);
  writer.writeField(scopeField);
  for (const { plan, resource, rows } of block.parts) writer.writeMetrics(plan, resource, rows);
  for (const field of block.encoded) writer.writeField(field);
}
