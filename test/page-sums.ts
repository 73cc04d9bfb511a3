import assert from 'node:assert/strict';
import { parseExposition } from './interop/exposition.js';

/** A sample of a page. */
export interface PageSample {
  /** With `__name__`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of a page, read by a parser that shares no code with the exporter. */
export function readPageSamples(page: string): readonly PageSample[] {
  return parseExposition(page).map(({ key, value }) => {
    // keyOf wrote it.
    const labels = JSON.parse(key) as readonly (readonly [string, string])[];
    return { labels: Object.fromEntries(labels), value };
  });
}

/** Energy of hardware, and of the parts of its ledger or of the groups of a view, in whole nanojoules. */
export interface PageSum {
  readonly what: string;
  readonly wholeNj: bigint;
  readonly partsNj: bigint;
}

/** Each meter with a ledger against the sum of the parts of its ledger. */
export function sumDomains(samples: readonly PageSample[]): readonly PageSum[] {
  const parts = sumBy(samples, 'ledger_energy_joules_total', domainOf);
  const meters = sumBy(samples, 'hw_energy_joules_total', domainOf);
  return [...meters].flatMap(([what, wholeNj]) => {
    const partsNj = parts.get(what);
    return partsNj === undefined ? [] : [{ what, wholeNj, partsNj }];
  });
}

/**
 * The attributed energy of each kind of hardware against the sum of the groups of each view.
 * @param views the first words of their metrics, such as `systemd_unit`
 */
export function sumViews(samples: readonly PageSample[], views: readonly string[]): readonly PageSum[] {
  const isAttributed = ({ labels }: PageSample) => labels['ledger_part'] === 'attributed';
  const whole = sumBy(samples.filter(isAttributed), 'ledger_energy_joules_total', typeOf);
  return views.flatMap((view) => {
    const groups = sumBy(samples, `${view}_energy_joules_total`, typeOf);
    return [...whole].map(([type, wholeNj]) => {
      return { what: `${view} ${type}`, wholeNj, partsNj: groups.get(type) ?? 0n };
    });
  });
}

/** Fails unless the parts are the whole, to the nanojoule. */
export function assertWhole(sums: readonly PageSum[]): void {
  for (const { what, wholeNj, partsNj } of sums) {
    assert.equal(partsNj, wholeNj, `${what}: the parts are ${partsNj} nJ, the whole is ${wholeNj} nJ`);
  }
}

function domainOf({ hw_type: type, hw_id: id }: PageSample['labels']): string {
  return `${type} ${id}`;
}

function typeOf({ hw_type: type = '' }: PageSample['labels']): string {
  return type;
}

function sumBy(
  samples: readonly PageSample[],
  name: string,
  keyOf: (labels: PageSample['labels']) => string,
): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { labels, value } of samples) {
    if (labels['__name__'] !== name) continue;
    const key = keyOf(labels);
    // The nearest double to a whole number of nanojoules gives that number again, up to 2^53.
    sums.set(key, (sums.get(key) ?? 0n) + BigInt(Math.round(value * 1e9)));
  }
  return sums;
}
