import { Recomputation } from './recompute.js';
import type { Course, Difference, DomainSheet, WindowSheet } from './sheet.js';

/** Numbers of correct windows and figures. */
export interface Confirmed {
  windows: number;
  figures: number;
  /** Windows that were left out when the file was written. */
  missing: number;
}

/** A line that cannot be confirmed. */
export class UnconfirmedError extends Error {}

type Line = Readonly<Record<string, unknown>>;

/** Reads the lines of a file of sheets, one after the other, and recomputes every window. */
export class SheetReader {
  readonly confirmed: Confirmed = { windows: 0, figures: 0, missing: 0 };
  #recomputation: Recomputation | undefined;
  #epoch = 0n;
  readonly #domains = new Map<number, DomainSheet>();
  readonly #workloads = new Map<number, string>();
  readonly #groupsOf = new Map<number, readonly number[]>();
  readonly #groups = new Map<number, string>();
  readonly #courses = new Map<number, Course>();

  /**
   * Takes a line.
   * @throws UnconfirmedError if it is not a line of an audit file, or a figure in it differs
   */
  read(text: string): void {
    const line = parseLine(text);
    if ('audit' in line) this.#begin(line);
    else if ('missing' in line) this.#skip(line);
    else if (this.#recomputation === undefined) {
      throw new UnconfirmedError('expected the first line of an audit file, found another one');
    } else if ('window' in line) this.#check(line, this.#recomputation);
    else this.#describe(line);
  }

  #begin({ audit, epoch, idle }: Line): void {
    if (audit !== 1 || typeof epoch !== 'string' || !/^\d+$/u.test(epoch)) {
      throw new UnconfirmedError(`expected sheets of version 1, found ${JSON.stringify(audit)}`);
    }
    this.#epoch = BigInt(epoch);
    for (const known of [this.#domains, this.#workloads, this.#groupsOf, this.#groups, this.#courses])
      known.clear();
    this.#recomputation = new Recomputation(String(idle), this.#groupsOf);
  }

  /** After missing windows, no window continues another one. */
  #skip({ missing }: Line): void {
    this.confirmed.missing += Number(missing);
    this.#courses.clear();
  }

  #describe(line: Line): void {
    const { attributes = {} } = line;
    if (typeof line['domain'] === 'number') {
      this.#domains.set(line['domain'], toDomain(line));
    } else if (typeof line['group'] === 'number') {
      this.#groups.set(line['group'], JSON.stringify(attributes));
    } else if (typeof line['workload'] === 'number' && isNumbers(line['groups'])) {
      this.#workloads.set(line['workload'], JSON.stringify(attributes));
      this.#groupsOf.set(line['workload'], line['groups']);
    } else
      throw new UnconfirmedError('expected a domain, a workload, a group or a window, found none of them');
  }

  #check(line: Line, recomputation: Recomputation): void {
    const number = Number(line['window']);
    const domain = this.#domains.get(number);
    if (domain === undefined) {
      throw new UnconfirmedError(`expected a domain that an earlier line describes, found ${number}`);
    }
    const sheet = toSheet(line);
    const difference = recomputation.check(sheet, domain, this.#courses.get(number));
    if (difference) throw new UnconfirmedError(this.#explain(difference, sheet, domain));
    this.#courses.set(number, recomputation.continue(sheet));
    this.confirmed.windows += 1;
    this.confirmed.figures += 9 + sheet.used.length + sheet.parts.length + (sheet.instances?.length ?? 0);
  }

  #explain(
    { figure, expected, found, workload, group }: Difference,
    sheet: WindowSheet,
    { hw_type, hw_id }: DomainSheet,
  ): string {
    const of =
      workload !== undefined
        ? ` of workload ${this.#workloads.get(workload) ?? workload}`
        : group !== undefined
          ? ` of group ${this.#groups.get(group) ?? group}`
          : '';
    const [from, to] = [this.#describeTime(sheet.from), this.#describeTime(sheet.to)];
    return `${figure}${of} in the window of ${hw_type} "${hw_id}" from ${from} to ${to}: expected ${expected}, found ${found}`;
  }

  #describeTime(ns: number): string {
    const at = this.#epoch + BigInt(ns);
    const ms = Number(at / 1_000_000n);
    const rest = String(at % 1_000_000n).padStart(6, '0');
    return new Date(ms).toISOString().replace('Z', `${rest}Z`);
  }
}

function parseLine(text: string): Line {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line === 'object' && line !== null) return line as Line;
  } catch {
    // Reported below.
  }
  throw new UnconfirmedError('expected a line of JSON, found one that is cut off or damaged');
}

const wholeNumbers = [
  'from',
  'to',
  'energy_nj',
  'busy_ns',
  'whole_ns',
  'idle_nj',
  'attributed_nj',
  'unattributed_nj',
];
const optionalNumbers = ['interrupt_ns', 'interrupt_nj', 'domains_nj'];
const quantities = ['refresh_ns', 'carry_nj', 'error', 'lag_ns', 'edge_ns', 'tick_ns', 'time_share'];
const unknownQuantities = ['floor_w', 'floor_error_w', 'least_w'];
const optionalQuantities = ['delay_ns', 'step_ns'];
const numberLists = ['costs', 'counts'];

/** @throws UnconfirmedError if a field is missing or has the wrong type */
function toSheet(line: Line): WindowSheet {
  const { from_nj: fromNj, knots_from: knotsFrom, knots_to: knotsTo } = line;
  const wrong =
    wholeNumbers.find((name) => !Number.isInteger(line[name])) ??
    optionalNumbers.find((name) => line[name] !== undefined && !Number.isInteger(line[name])) ??
    (Array.isArray(line['used']) && line['used'].every(isUse) ? undefined : 'used') ??
    (Array.isArray(line['parts']) && line['parts'].every(isNumbers) ? undefined : 'parts');
  if (wrong !== undefined)
    throw new UnconfirmedError(`expected whole numbers, found ${wrong}: ${JSON.stringify(line[wrong])}`);
  const other =
    quantities.find((name) => !isQuantity(line[name])) ??
    unknownQuantities.find((name) => line[name] !== null && !isQuantity(line[name])) ??
    numberLists.find((name) => line[name] !== undefined && !areQuantities(line[name])) ??
    optionalQuantities.find((name) => line[name] !== undefined && !isQuantity(line[name])) ??
    (line['instances'] === undefined || areInstances(line['instances']) ? undefined : 'instances');
  if (other !== undefined)
    throw new UnconfirmedError(`expected numbers, found ${other}: ${JSON.stringify(line[other])}`);
  if (fromNj !== undefined && !Number.isInteger(fromNj)) {
    throw new UnconfirmedError(`expected whole nanojoules, found ${JSON.stringify(fromNj)}`);
  }
  for (const knots of [knotsFrom, knotsTo]) {
    if (knots !== undefined && !(isNumbers(knots) && knots.length === 4)) {
      throw new UnconfirmedError(`expected two knots, found ${JSON.stringify(knots)}`);
    }
  }
  // All fields that computations use were checked.
  return line as unknown as WindowSheet;
}

function isQuantity(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

function areQuantities(value: unknown): boolean {
  return Array.isArray(value) && value.every(isQuantity);
}

/** The counts of events need not be integers: perf scales them if counters are multiplexed. */
function isUse(value: unknown): boolean {
  return Array.isArray(value) && isNumbers(value.slice(0, 4)) && areQuantities(value.slice(4));
}

function areInstances(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (one) => Array.isArray(one) && one.length === 3 && Number.isInteger(one[1]) && Number.isInteger(one[2]),
    )
  );
}

function toDomain(line: Line): DomainSheet {
  const text = (name: string) => String(line[name]);
  return {
    hw_type: text('hw_type'),
    hw_id: text('hw_id'),
    method: text('method'),
    weights: text('weights'),
  };
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((one) => Number.isInteger(one));
}
