import { ATTR_ENERGY_METHOD, ATTR_HW_ID, ATTR_HW_TYPE } from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import type { Group, View } from '../../src/usage/view.js';
import { byTime, weightNames, type Weight } from '../../src/usage/weighing.js';
import type { Window } from '../../src/usage/windows.js';
import { Workload } from '../../src/usage/workload.js';
import type { Config } from './config.js';
import type { Parts } from './split.js';

/** What the first line of a file contains. */
export interface SheetOptions {
  readonly idle: Config['idle'];
  readonly views: readonly View[];
  /** Unix time in nanoseconds of time 0. */
  readonly epoch: bigint;
}

/** A domain as the sheets describe it. */
export interface AuditedDomain {
  readonly series: Series;
  /** How its energy is shared unless other events were counted: `cpu_time`, `gpu_time`, `domain_energy`. */
  readonly weights: string;
  /** Options of the ledger that contains the domain. */
  readonly options: SheetOptions;
}

/** What the error of a window was computed from, besides the other fields of its sheet. */
export interface SheetError {
  /** Fraction of the energy, 0 to 1. */
  readonly error: number;
  /** Fraction of the weights that was shared by time, where the window was otherwise shared by something else. */
  readonly timeShare: number;
  /** Possible error of the floor; undefined: not known. */
  readonly floorErrorWatts: number | undefined;
  /** Minimum power of all sufficiently long windows so far; Infinity: there was none. */
  readonly leastWatts: number;
}

/** A settled window. The objects it refers to never change. */
export interface SettledWindow {
  readonly domain: AuditedDomain;
  readonly window: Window;
  /** The weight by which it was shared. */
  readonly weight: Weight;
  /** The cost of each event, in the order of their names, where it was shared by events. */
  readonly costs?: readonly number[] | undefined;
  /** The energy of each GPU instance, in the order of the usage; empty where the GPU was not used. */
  readonly instanceNj: readonly number[];
  readonly uncertainty: SheetError;
  readonly parts: Parts;
  /** Whole nanojoules of each workload of the usage. */
  readonly shares: Float64Array;
  /** Watts; undefined: not known, so that no energy is idle. */
  readonly floorWatts: number | undefined;
  /** Unused allowance of the floor from the windows before this one. */
  readonly carryNj: number;
}

/** Workloads and groups that are in no later window. */
export interface Ended {
  readonly ended: readonly (Workload | Group)[];
}

/** A copy of the shares of a window's workloads: the list of a split is reused. */
export function copyShares(shares: readonly number[], { usage: { workloads } }: Window): Float64Array {
  const copy = new Float64Array(workloads.length);
  for (let i = 0; i < copy.length; i++) copy[i] = shares[i];
  return copy;
}

/**
 * Writes settled windows as lines of JSON (docs/ledger.md, Audit). Domains, workloads and groups get a number
 * and a line that defines them when they first appear.
 */
export class SheetWriter {
  /** The options in the first line of the file; a window of another ledger starts the file again. */
  #options: SheetOptions | undefined;
  readonly #domains = new Map<AuditedDomain, number>();
  readonly #workloads = new Map<Workload, number>();
  readonly #groups = new Map<Group, number>();
  /** Numbers are not used twice in a file. */
  #workloadNumber = 0;
  #groupNumber = 0;

  /** How many workloads and groups it knows. */
  get size(): number {
    return this.#workloads.size + this.#groups.size;
  }

  /** Forgets what no later window refers to. */
  forget({ ended }: Ended): void {
    for (const one of ended) {
      if (one instanceof Workload) this.#workloads.delete(one);
      else this.#groups.delete(one);
    }
  }

  /** Another file is started: it has to contain all definitions again. */
  restart(): void {
    this.#options = undefined;
    this.#domains.clear();
    this.#workloads.clear();
    this.#groups.clear();
    this.#workloadNumber = 0;
    this.#groupNumber = 0;
  }

  /** @returns the lines for a window */
  write(settled: SettledWindow): string {
    const lines: string[] = [];
    if (this.#options !== settled.domain.options) this.#begin(settled.domain.options, lines);
    const domain = this.#domainOf(settled.domain, lines);
    const { window, parts, floorWatts, weight, costs } = settled;
    const { usage } = window;
    const used: number[][] = [];
    const sums = new Map<number, number>();
    for (const [i, workload] of usage.workloads.entries()) {
      const [own, lifeNs, shareNj] = [usage.cpuNs[i], usage.lifeNs[i], settled.shares[i]];
      if (own === 0 && lifeNs === 0 && shareNj === 0) continue;
      const counts = costs && usage.events ? usage.events.workloads.map((growths) => growths[i]) : [];
      used.push([this.#workloadOf(workload, lines), own, lifeNs, shareNj, ...counts]);
      for (const group of workload.groups) {
        const number = this.#groupOf(group, lines);
        sums.set(number, (sums.get(number) ?? 0) + shareNj);
      }
    }
    const sheet = {
      window: domain,
      from: window.from,
      to: window.to,
      ...window.ends,
      energy_nj: window.energyNj,
      refresh_ns: window.refreshNs,
      floor_w: floorWatts ?? null,
      carry_nj: settled.carryNj,
      weight: weight === byTime ? settled.domain.weights : weightNames[weight],
      ...(costs && { costs, counts: usage.events?.machine }),
      busy_ns: usage.busyNs,
      whole_ns: parts.wholeNs,
      is_gap: usage.isGap,
      rest: usage.restReason ?? 'unseen',
      idle_nj: parts.idleNj,
      attributed_nj: parts.attributedNj,
      unattributed_nj: parts.unattributedNj,
      ...(usage.interruptNs !== undefined &&
        usage.interruptNs > 0 && { interrupt_ns: usage.interruptNs, interrupt_nj: parts.interruptNj }),
      reason: parts.reason,
      used,
      parts: [...sums],
      ...(settled.instanceNj.length > 0 && { instances: listInstances(settled) }),
      ...describeError(settled),
    };
    lines.push(JSON.stringify(sheet));
    return `${lines.join('\n')}\n`;
  }

  #begin(options: SheetOptions, lines: string[]): void {
    this.restart();
    this.#options = options;
    const { idle, views, epoch } = options;
    lines.push(
      JSON.stringify({ audit: 1, epoch: String(epoch), idle, views: views.map(({ metric }) => metric.name) }),
    );
  }

  #domainOf(domain: AuditedDomain, lines: string[]): number {
    const known = this.#domains.get(domain);
    if (known !== undefined) return known;
    const number = this.#domains.size;
    this.#domains.set(domain, number);
    const { attributes } = domain.series;
    lines.push(
      JSON.stringify({
        domain: number,
        hw_type: attributes[ATTR_HW_TYPE] ?? '',
        hw_id: attributes[ATTR_HW_ID] ?? '',
        method: attributes[ATTR_ENERGY_METHOD] ?? 'measured',
        weights: domain.weights,
      }),
    );
    return number;
  }

  #workloadOf(workload: Workload, lines: string[]): number {
    const known = this.#workloads.get(workload);
    if (known !== undefined) return known;
    const groups = workload.groups.map((group) => this.#groupOf(group, lines));
    const number = this.#workloadNumber++;
    this.#workloads.set(workload, number);
    lines.push(JSON.stringify({ workload: number, attributes: workload.resource.attributes, groups }));
    return number;
  }

  #groupOf(group: Group, lines: string[]): number {
    const known = this.#groups.get(group);
    if (known !== undefined) return known;
    const number = this.#groupNumber++;
    this.#groups.set(group, number);
    lines.push(JSON.stringify({ group: number, attributes: group.attributes }));
    return number;
  }
}

/** The instances of a GPU: how long each was used, and its energy. */
function listInstances({ window: { usage }, instanceNj }: SettledWindow) {
  return (usage.instances ?? []).map(({ id, usedNs }, i) => [id, usedNs, instanceNj[i]]);
}

/** The error and its inputs. */
function describeError({ window, uncertainty }: SettledWindow) {
  const { error, timeShare, floorErrorWatts, leastWatts } = uncertainty;
  const { lagNs, delayNs = 0, edgeNs, tickNs, sampleNs, domainsNj } = window;
  return {
    error,
    lag_ns: lagNs,
    ...(delayNs > 0 && { delay_ns: delayNs }),
    edge_ns: edgeNs,
    tick_ns: tickNs,
    ...(sampleNs !== undefined && { step_ns: sampleNs }),
    ...(domainsNj !== undefined && { domains_nj: domainsNj }),
    time_share: timeShare,
    floor_error_w: floorErrorWatts ?? null,
    least_w: leastWatts === Infinity ? null : leastWatts,
  };
}
