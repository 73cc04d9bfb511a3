import { checkError } from './published-error.js';
import type { Course, Difference, DomainSheet, WindowSheet } from './sheet.js';
import { checkInstances, checkWeight } from './weights.js';
import {
  abs,
  divide,
  fraction,
  isOnCurve,
  maximum,
  minimum,
  onCurve,
  sum,
  timesWatts,
  toFixed,
} from './whole-numbers.js';

/** Settles windows a second time, in integers of any size and without the ledger's code. */
export class Recomputation {
  readonly #idle: string;
  readonly #groupsOf: ReadonlyMap<number, readonly number[]>;
  /** Idle energy of the last confirmed window; two figures if either fits. */
  #floorsNj: bigint[] = [];

  /** @param groupsOf the groups of each workload */
  constructor(idle: string, groupsOf: ReadonlyMap<number, readonly number[]>) {
    this.#idle = idle;
    this.#groupsOf = groupsOf;
  }

  /** @returns the first figure of a window that differs; undefined: all are correct */
  check(sheet: WindowSheet, domain: DomainSheet, before: Course | undefined): Difference | undefined {
    return (
      checkBeginning(sheet, before) ??
      checkCurve(sheet, before) ??
      checkEnergy(sheet) ??
      checkCarry(sheet, before) ??
      checkWeight(sheet, domain) ??
      checkUsage(sheet) ??
      this.#checkShares(sheet) ??
      this.#checkParts(sheet) ??
      checkInstances(sheet, this.#isAllShared(sheet) ? [0n] : this.#floorsNj) ??
      checkError(sheet, domain, { floorsNj: this.#floorsNj, leastWatts: before?.leastWatts })
    );
  }

  /** The state from which the next window of the domain continues, after this one was confirmed. */
  continue(sheet: WindowSheet): Course {
    const { to, from_nj: fromNj } = sheet;
    const toNj = fromNj === undefined ? undefined : BigInt(fromNj) + BigInt(sheet.energy_nj);
    const carries = this.#floorsNj.map((floorNj) => carryAfter(sheet, floorNj));
    return { to, toNj, carries, leastWatts: sheet.least_w };
  }

  #checkShares(sheet: WindowSheet): Difference | undefined {
    this.#floorsNj = [];
    let first: Difference | undefined;
    // If the floor allows almost exactly a whole number of nanojoules, rounding decides between two figures.
    for (const floorNj of findIdle(sheet)) {
      const difference = checkSplit(sheet, this.#settle(sheet, floorNj));
      if (difference === undefined) {
        this.#floorsNj.push(floorNj);
      }
      // Of the two, the one with the idle energy of the sheet shows which figure is wrong.
      if (first === undefined || first.figure === 'idle energy') first = difference;
    }
    return this.#floorsNj.length > 0 ? undefined : first;
  }

  /** Whether idle energy is shared by the same weights as all other energy. */
  #isAllShared({ is_gap: isGap, whole_ns: wholeNs }: WindowSheet): boolean {
    return this.#idle === 'proportional' && !isGap && wholeNs > 0;
  }

  #settle(sheet: WindowSheet, floorNj: bigint): Settlement {
    const energyNj = BigInt(sheet.energy_nj);
    const wholeNs = BigInt(sheet.whole_ns);
    const isShared = !sheet.is_gap && wholeNs > 0n;
    const idleNj = this.#isAllShared(sheet) ? 0n : floorNj;
    const weights = sheet.used.map(([, weight = 0]) => BigInt(weight));
    const lives = sheet.used.map(([, , life = 0]) => BigInt(life));
    const dynamic = isShared ? divide(energyNj - idleNj, weights, wholeNs) : weights.map(() => 0n);
    const lifeNs = sum(lives);
    const isBorne = this.#idle === 'equal' && lifeNs > 0n;
    const borne = isBorne ? divide(idleNj, lives, lifeNs) : lives.map(() => 0n);
    const restNs = wholeNs - sum(weights);
    const interruptNs = minimum(BigInt(sheet.interrupt_ns ?? 0), restNs);
    const [interruptNj = 0n] = isShared ? divide(energyNj - idleNj, [interruptNs], wholeNs) : [];
    const unattributedNj = energyNj - idleNj - sum(dynamic);
    const reason = isShared ? sheet.rest : sheet.is_gap ? 'gap' : 'no_usage';
    return {
      shares: dynamic.map((share, i) => share + (borne[i] ?? 0n)),
      idleNj: idleNj - sum(borne),
      attributedNj: sum(dynamic) + sum(borne),
      unattributedNj,
      interruptNj: minimum(interruptNj, unattributedNj),
      reason,
    };
  }

  /** The part of a group is the sum of its workloads' shares. */
  #checkParts({ used, parts }: WindowSheet): Difference | undefined {
    const sums = new Map<number, bigint>();
    for (const [workload = NaN, , , shareNj = 0] of used) {
      const groups = this.#groupsOf.get(workload);
      if (groups === undefined) {
        return {
          figure: 'workload',
          expected: 'one that an earlier line describes',
          found: String(workload),
        };
      }
      for (const group of groups) sums.set(group, (sums.get(group) ?? 0n) + BigInt(shareNj));
    }
    const found = new Map(parts.map(([group = NaN, partNj = 0]) => [group, BigInt(partNj)]));
    for (const group of new Set([...sums.keys(), ...found.keys()])) {
      const [expectedNj, foundNj] = [sums.get(group) ?? 0n, found.get(group) ?? 0n];
      if (expectedNj !== foundNj) return { ...inNj('part', expectedNj, foundNj), group };
    }
    return undefined;
  }
}

interface Settlement {
  readonly shares: readonly bigint[];
  readonly idleNj: bigint;
  readonly attributedNj: bigint;
  readonly unattributedNj: bigint;
  readonly interruptNj: bigint;
  readonly reason: string;
}

function checkSplit(sheet: WindowSheet, settled: Settlement): Difference | undefined {
  if (settled.idleNj !== BigInt(sheet.idle_nj)) return inNj('idle energy', settled.idleNj, sheet.idle_nj);
  for (const [i, shareNj] of settled.shares.entries()) {
    const [workload = NaN, , , foundNj = 0] = sheet.used[i] ?? [];
    if (shareNj !== BigInt(foundNj)) return { ...inNj('share', shareNj, foundNj), workload };
  }
  if (settled.attributedNj !== BigInt(sheet.attributed_nj)) {
    return inNj('attributed energy', settled.attributedNj, sheet.attributed_nj);
  }
  if (settled.unattributedNj !== BigInt(sheet.unattributed_nj)) {
    return inNj('unattributed energy', settled.unattributedNj, sheet.unattributed_nj);
  }
  if (settled.interruptNj !== BigInt(sheet.interrupt_nj ?? 0)) {
    return inNj('energy of interrupts', settled.interruptNj, sheet.interrupt_nj ?? 0);
  }
  if (settled.reason !== sheet.reason) {
    return { figure: 'reason', expected: settled.reason, found: sheet.reason };
  }
  return undefined;
}

/** Windows of one curve are contiguous; before a new curve, and without a curve, there may be a gap. */
function checkBeginning(sheet: WindowSheet, before: Course | undefined): Difference | undefined {
  const { from, to, from_nj: fromNj, knots_from: knotsFrom } = sheet;
  if (to <= from)
    return { figure: 'end', expected: `more than ${from} ns, its beginning`, found: `${to} ns` };
  if (before === undefined) return undefined;
  const isContinued = fromNj !== undefined && knotsFrom === undefined;
  if (isContinued ? from === before.to : from >= before.to) return undefined;
  return {
    figure: 'beginning',
    expected: `${before.to} ns, the end of the window before`,
    found: `${from} ns`,
  };
}

/** A curve continues where the previous window ended, or starts at its first knot. */
function checkCurve(sheet: WindowSheet, before: Course | undefined): Difference | undefined {
  const { from, from_nj: fromNj, knots_from: knots } = sheet;
  if (fromNj === undefined) return undefined;
  if (knots !== undefined) {
    return isOnCurve(knots, from, fromNj)
      ? undefined
      : inNj('curve at the beginning', onCurve(knots, from), fromNj);
  }
  if (before?.toNj === undefined) return undefined;
  // Beyond 2^53 nJ, not every whole number is a double.
  if (abs(before.toNj - BigInt(fromNj)) <= before.toNj / 2n ** 53n) return undefined;
  return inNj('curve at the beginning', before.toNj, fromNj);
}

function checkEnergy({ from_nj: fromNj, knots_to: knots, to, energy_nj: energyNj }: WindowSheet) {
  if (fromNj === undefined || knots === undefined) return undefined;
  const reachedNj = BigInt(fromNj) + BigInt(energyNj);
  const curveNj = onCurve(knots, to);
  // A curve that was thinned in the meantime may be lower than before: the energy is then 0.
  if (isOnCurve(knots, to, Number(reachedNj)) || (energyNj === 0 && curveNj < reachedNj)) return undefined;
  return inNj('energy', curveNj - BigInt(fromNj), energyNj);
}

/** The carry of the floor is what the previous window left. */
function checkCarry(sheet: WindowSheet, before: Course | undefined): Difference | undefined {
  if (before === undefined) return undefined;
  const found = toFixed(sheet.carry_nj);
  const [first = 0n] = before.carries;
  const isLeft = (carry: bigint) => abs(found - carry) <= fraction / 1000n + (carry + found) / 2n ** 40n;
  if (before.carries.some(isLeft)) return undefined;
  return inNj('carry of the floor', Number(first) / Number(fraction), sheet.carry_nj);
}

function checkUsage({ used, busy_ns: busyNs, whole_ns: wholeNs }: WindowSheet): Difference | undefined {
  const sumNs = sum(used.map(([, weight = 0]) => BigInt(weight)));
  const expectedNs = sumNs > BigInt(busyNs) ? sumNs : BigInt(busyNs);
  return expectedNs === BigInt(wholeNs)
    ? undefined
    : { figure: 'whole of the usage', expected: `${expectedNs} ns`, found: `${wholeNs} ns` };
}

/** The idle energy: one figure, or two if rounding decides. */
function findIdle({
  energy_nj,
  floor_w: watts,
  carry_nj: carryNj,
  from,
  to,
}: WindowSheet): readonly bigint[] {
  if (watts === null) return [0n];
  const energyNj = BigInt(energy_nj);
  const allowed = toFixed(carryNj) + timesWatts(watts, BigInt(to) - BigInt(from));
  const error = 2n + allowed / 2n ** 50n;
  const least = minimum(energyNj, maximum(0n, allowed - error) / fraction);
  const greatest = minimum(energyNj, (allowed + error) / fraction);
  return least === greatest ? [least] : [least, greatest];
}

function carryAfter(sheet: WindowSheet, floorNj: bigint): bigint {
  const { floor_w: watts, carry_nj: carryNj, from, to, refresh_ns: refreshNs } = sheet;
  if (watts === null) return toFixed(carryNj);
  const rest = toFixed(carryNj) + timesWatts(watts, BigInt(to) - BigInt(from)) - floorNj * fraction;
  return minimum(maximum(0n, rest), toFixed(2 * watts * refreshNs));
}

function inNj(figure: string, expected: bigint | number, found: bigint | number): Difference {
  return { figure, expected: `${expected} nJ`, found: `${found} nJ` };
}
