import { lossRatioAt, type Calibration } from '../../src/energy/calibration.js';
import type { LossRatio, LossRegression, Refutation } from '../../src/energy/loss-model.js';
import {
  ATTR_ENERGY_INTERFACE,
  ATTR_ENERGY_METHOD,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_PARENT,
  ATTR_HW_POWER_WINDOW,
  ATTR_HW_TYPE,
  ATTR_RAPL_DOMAIN,
} from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import { remainderType } from '../../src/model/shared-metrics.js';
import { withoutWorkloads, type Usage } from '../../src/usage/usage.js';
import type { Window, Windows } from '../../src/usage/windows.js';
import { compareWorkloads } from '../../src/usage/workload.js';
import type { Config } from './config.js';
import type { Floor } from './floor.js';
import type { HostParts, PartsUsage } from './host-parts.js';
import type { DomainMeter, Meter } from './meter.js';

/**
 * Attributes of the domain that consists of the energy of a host or a platform beyond the domains that its
 * meter contains.
 */
export function describeRemainder(container: Series): Series {
  const {
    [ATTR_HW_ID]: id = '',
    [ATTR_HW_NAME]: name,
    [ATTR_HW_PARENT]: parent,
    [ATTR_RAPL_DOMAIN]: raplDomain,
    [ATTR_ENERGY_INTERFACE]: energyInterface,
    [ATTR_HW_POWER_WINDOW]: window,
  } = container.attributes;
  return {
    ...container,
    attributes: {
      [ATTR_HW_TYPE]: remainderType,
      [ATTR_HW_ID]: id,
      ...(name !== undefined && { [ATTR_HW_NAME]: name }),
      ...(parent !== undefined && { [ATTR_HW_PARENT]: parent }),
      ...(raplDomain !== undefined && { [ATTR_RAPL_DOMAIN]: raplDomain }),
      ...(energyInterface !== undefined && { [ATTR_ENERGY_INTERFACE]: energyInterface }),
      ...(window !== undefined && { [ATTR_HW_POWER_WINDOW]: window }),
      [ATTR_ENERGY_METHOD]: 'measured',
    },
  };
}

export interface RemainderOptions {
  /** The meter of the host or the platform. */
  readonly meter: Meter;
  readonly parts: HostParts;
  /**
   * Whether the meter is known to contain the parts; otherwise a regression has to confirm it before anything
   * is settled.
   */
  readonly isContainer: boolean;
  /** The earliest start of a window: earlier energy is in a remainder around this one. */
  readonly settledTo: () => number;
  readonly floor: Floor;
  readonly idle: Config['idle'];
  readonly maxWindowNs: number;
  /** That of earlier ledgers, if there were any. */
  readonly regression: LossRegression;
  /** Calibration of the meter; undefined: a regression is used instead. */
  readonly calibration: Calibration | undefined;
}

/**
 * The meter of what a host uses beyond the domains that it contains: losses, fans, disks (docs/ledger.md, The
 * whole host). Its windows are those of the host's meter, minus the energy of the domains in the same time;
 * they are held until that is settled. Its usage is the energy of the domains that workloads were charged.
 */
export class RemainderMeter implements DomainMeter {
  readonly #options: RemainderOptions;
  readonly #regression: LossRegression;
  #waiting: Window | undefined;
  /**
   * How much more the domains have used than the host so far: its meter lags behind, and this is offset against
   * later windows.
   */
  #owedNj = 0;
  /** Power of the domains in the last window; 0: no window yet. */
  #partsWatts = 0;

  constructor(options: RemainderOptions) {
    this.#options = options;
    this.#regression = options.regression;
    this.#regression.interrupt();
  }

  /** The host's losses per watt of its domains; undefined: not known. */
  get loss(): LossRatio | undefined {
    const { calibration } = this.#options;
    if (calibration === undefined) return this.#isContainer ? this.#regression.current : undefined;
    const ratio = lossRatioAt(calibration, this.#partsWatts);
    return { ratio, halfWidth: calibration.gain.halfWidth, source: 'calibrated' };
  }

  /** Evidence that the meter does not contain the domains; undefined: none, or it is known to contain them. */
  get refutation(): Refutation | undefined {
    return this.#options.isContainer ? undefined : this.#regression.refutation;
  }

  /** Whether energy that its counter has already read may still be settled. */
  get isPending(): boolean {
    return this.#isContainer && (this.#waiting !== undefined || this.#options.meter.hasWindows);
  }

  get #isContainer(): boolean {
    return this.#options.isContainer || this.#regression.contains === true;
  }

  open(knownSince: number): Windows {
    return this.#options.meter.open(knownSince);
  }

  get isSetBack(): boolean {
    return this.#options.meter.isSetBack;
  }

  discardSetBack(): void {
    this.#options.meter.discardSetBack();
  }

  push(usage: Usage): void {
    const { meter, maxWindowNs } = this.#options;
    // A floor is learned from the usage of the CPUs, while the machine is quiet.
    meter.push({ ...withoutWorkloads(usage), busyNs: usage.busyNs });
    if (this.#waiting && usage.to - this.#waiting.to > maxWindowNs) this.#drop(this.#waiting);
  }

  isGone(now: number): boolean {
    return this.#waiting === undefined && this.#options.meter.isGone(now);
  }

  isDoneWith(boundary: number): boolean {
    const { meter, parts } = this.#options;
    const isWaiting = this.#waiting !== undefined && this.#waiting.usage.firstTo <= boundary;
    const hasCharges = meter.hasWindows && parts.hasChargesBefore(boundary);
    return !isWaiting && !hasCharges && meter.isDoneWith(boundary);
  }

  finish(): void {
    this.#options.parts.finish();
    this.#options.meter.finish();
  }

  takeReady(): Window | undefined {
    const { meter, parts } = this.#options;
    for (;;) {
      this.#waiting ??= meter.takeReady();
      const window = this.#waiting;
      if (window === undefined || !parts.reaches(window.to)) return undefined;
      const to = parts.knownTo(window.from, window.to);
      const settled = to > window.from ? this.#settle(cutWindow(window, to), window.to) : undefined;
      if (settled) return settled;
      if (to <= window.from) this.#drop(window);
    }
  }

  /** Without the energy of the domains, the remainder is not known. */
  #drop(window: Window): void {
    this.#waiting = undefined;
    this.#regression.interrupt();
    this.#options.parts.forget(window.to);
  }

  /** @returns undefined where it is not known that the meter contains the domains; the energy is then not settled */
  #settle(window: Window, end: number): Window | undefined {
    const used = this.#options.parts.take(window.from, window.to);
    this.#options.parts.forget(end);
    this.#waiting = undefined;
    const isOwn = this.#isContainer && window.from >= this.#options.settledTo();
    const settled = isOwn ? this.#subtract(window, used) : undefined;
    if (!isOwn) this.#owedNj = 0;
    // Only now: a window is shared by what was known before it.
    this.#regression.observe(window.to - window.from, window.energyNj, used.energyNj, window.refreshNs);
    return settled;
  }

  #subtract(window: Window, used: PartsUsage): Window {
    this.#partsWatts = used.energyNj / (window.to - window.from);
    const owedNj = this.#owedNj;
    const beyondNj = window.energyNj - used.energyNj - owedNj;
    this.#owedNj = Math.max(0, -beyondNj);
    const energyNj = Math.max(0, beyondNj);
    const usage = this.#createUsage({ ...window, energyNj }, used);
    // The age of the host's energy increases the uncertainty of the remainder: the domains' energy is of another time. What is
    // offset was measured in earlier windows.
    const ageNs = window.lagNs + (window.delayNs ?? 0);
    const lateNj = ageNs * window.energyNj + owedNj * (window.to - window.from);
    const lagNs = energyNj === 0 ? ageNs : lateNj / energyNj;
    return { ...window, energyNj, lagNs, delayNs: 0, domainsNj: used.sharedNj, usage };
  }

  #createUsage({ from, to, energyNj, usage }: Window, { charges, sharedNj, isGpuUsed }: PartsUsage): Usage {
    const own = { ...usage, machineBusyNs: usage.busyNs, busyNs: 0, ...(isGpuUsed && { isQuiet: false }) };
    const ratio = this.loss?.ratio ?? 0;
    if (usage.isGap || ratio === 0 || sharedNj <= 0) return own;
    const entries = [...charges].toSorted(([a], [b]) => compareWorkloads(a, b));
    return {
      ...own,
      busyNs: this.#wholeNj(energyNj, sharedNj, ratio, to - from),
      restReason: 'no_usage',
      workloads: entries.map(([workload]) => workload),
      cpuNs: entries.map(([, chargedNj]) => chargedNj),
      lifeNs: entries.map(([workload]) => workload.countLifeNs(from, to)),
    };
  }

  /**
   * The total that the charges are fractions of, such that no workload is charged more than the losses of its
   * own energy. Where idle energy is shared as well, all of it is shared.
   */
  #wholeNj(energyNj: number, sharedNj: number, ratio: number, durationNs: number): number {
    const { floor, idle } = this.#options;
    const floorNj = Math.min(energyNj, (floor.current?.watts ?? 0) * durationNs);
    const isIdleShared = idle === 'proportional';
    const dividedNj = isIdleShared ? energyNj : energyNj - floorNj;
    const explainedNj = ratio * sharedNj + (isIdleShared ? floorNj : 0);
    return Math.ceil(sharedNj * Math.max(1, dividedNj / explainedNj));
  }
}

/** The part of a window up to an earlier instant, assuming constant power. */
function cutWindow(window: Window, to: number): Window {
  if (to === window.to) return window;
  const { from, energyNj, usage } = window;
  const part = (to - from) / (window.to - from);
  return {
    ...window,
    to,
    energyNj: Math.round(energyNj * part),
    usage: { ...usage, firstTo: Math.min(usage.firstTo, to), to, busyNs: usage.busyNs * part },
  };
}
