import { createPlans } from '../model/plan.js';
import { seriesKey, type AnySeries, type Attributes, type Resource } from '../model/series.js';
import { LargeMap } from './large-map.js';
import { translateLabel } from './names.js';

/**
 * The labels of an attribute set, sorted by name. Attributes with the same label name are joined by `;`. As in
 * Prometheus, empty values are left out.
 */
export function listLabels(attributes: Attributes): readonly (readonly [label: string, value: string])[] {
  const names = Object.keys(attributes).map((name) => ({ name, label: translateLabel(name) }));
  const labels: [label: string, value: string][] = [];
  for (const { name, label } of names.toSorted(compareLabels)) {
    const value = String(attributes[name]);
    const last = labels.at(-1);
    if (value === '') continue;
    if (last?.[0] === label) last[1] += `;${value}`;
    else labels.push([label, value]);
  }
  return labels;
}

/** The text of a label set, including braces; equal sets have equal texts. */
export function renderLabels(attributes: Attributes): string {
  const labels = listLabels(attributes).map(([label, value]) => `${label}="${escapeText(value)}"`);
  return labels.length === 0 ? '' : `{${labels.join(',')}}`;
}

interface Named {
  readonly name: string;
  readonly label: string;
}

function compareLabels(one: Named, other: Named): number {
  if (one.label === other.label) return one.name < other.name ? -1 : 1;
  return one.label < other.label ? -1 : 1;
}

/** Escapes backslash, line feed and double quote. */
export function escapeText(text: string): string {
  if (!/[\\\n"]/.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/** Texts that many lines share, each kept once: all metrics of a process have its labels. */
export class SharedTexts {
  readonly #known = new LargeMap<string, { readonly text: string; uses: number }>();

  /** Number of kept texts. */
  get size(): number {
    return this.#known.size;
  }

  /** @returns an equal text, to be released when it is no longer used */
  take(text: string): string {
    const known = this.#known.get(text);
    if (known === undefined) this.#known.add(text, { text, uses: 1 });
    else known.uses += 1;
    return known?.text ?? text;
  }

  release(text: string): void {
    const known = this.#known.get(text);
    if (known === undefined) return;
    known.uses -= 1;
    if (known.uses === 0) this.#known.delete(text);
  }
}

/** Selects the resource attributes that become labels. */
export interface Identity {
  /** The attributes of the allow-list, except those that the machine itself has. Made once per resource. */
  of(resource: Resource): Attributes;
}

/**
 * @param allowed attribute names
 * @param named attributes of the machine, or of everything
 */
export function createIdentity(allowed: readonly string[], named: Attributes): Identity {
  const of = createPlans(({ attributes }: Resource): Attributes => {
    const names = allowed.filter(
      (name) => attributes[name] !== undefined && attributes[name] !== named[name],
    );
    return pick(attributes, names);
  });
  return { of };
}

/** Labels for a series. */
export interface FoundLabels {
  readonly attributes: Attributes;
  readonly text: string;
  /** Whether another series has them whose possible labels do not differ in any way. */
  readonly isTaken: boolean;
}

/** How labels are kept unique. */
export interface LabelSpace {
  render(attributes: Attributes): string;
  /** The live series with this label text. */
  findHolder(text: string): AnySeries | undefined;
}

/**
 * Labels that no other live series has. If the identity of its resource does not distinguish a series from
 * another one, the differing attributes of their resources are added.
 */
export function findLabels(
  series: AnySeries,
  own: Attributes,
  { render, findHolder }: LabelSpace,
): FoundLabels {
  let identity = own;
  for (;;) {
    const attributes = { ...identity, ...series.attributes };
    const text = render(attributes);
    const holder = findHolder(text);
    if (holder === undefined || seriesKey(holder) === seriesKey(series))
      return { attributes, text, isTaken: false };
    const wider = { ...identity, ...findDifference(series.resource, holder.resource) };
    if (Object.keys(wider).length === Object.keys(identity).length)
      return { attributes, text, isTaken: true };
    identity = wider;
  }
}

/** The attributes of one resource that another one lacks, or has with another value. */
function findDifference({ attributes }: Resource, other: Resource): Attributes {
  const names = Object.keys(attributes).filter((name) => attributes[name] !== other.attributes[name]);
  return pick(attributes, names);
}

function pick(attributes: Attributes, names: readonly string[]): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => names.includes(name)));
}

/**
 * Finds the machine's own resource among those of processes, containers and other machines: it has no identity
 * attributes, has what receivers report about the machine, and the fewest attributes of such resources.
 */
export class HostResource {
  readonly #named: Attributes;
  readonly #identity: readonly string[];
  readonly #common: Attributes;
  #best: Attributes | undefined;

  /**
   * @param named what receivers report about the machine
   * @param identity attributes that a machine's resource does not have, except those that start with `host.`
   * @param common attributes that any resource may have with these values
   */
  constructor(named: Attributes, identity: readonly string[], common: Attributes) {
    this.#named = named;
    this.#common = common;
    this.#identity = identity.filter((key) => !key.startsWith('host.'));
  }

  get attributes(): Attributes {
    return this.#best ?? this.#named;
  }

  consider({ attributes }: Resource): void {
    const hasIdentity = (key: string): boolean =>
      attributes[key] !== undefined && attributes[key] !== this.#common[key];
    if (this.#identity.some(hasIdentity)) return;
    if (this.#best === undefined || this.#isBetter(attributes, this.#best)) this.#best = attributes;
  }

  #isBetter(one: Attributes, other: Attributes): boolean {
    const [isOurs, isOtherOurs] = [this.#isOurs(one), this.#isOurs(other)];
    if (isOurs !== isOtherOurs) return isOurs;
    return Object.keys(one).length < Object.keys(other).length;
  }

  #isOurs(attributes: Attributes): boolean {
    return Object.entries(this.#named).every(([key, value]) => attributes[key] === value);
  }
}
