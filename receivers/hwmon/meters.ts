import type { Claims } from '../../src/component/claims.js';
import { claimEnergy } from '../../src/component/energy-claim.js';
import { IntegratedPower, type GapLimit } from '../../src/energy/integrated-power.js';
import { CounterMeter, IntegratedMeter, type Meter, type SourcedMeter } from '../../src/energy/meter-row.js';
import { WrappingCounter } from '../../src/energy/wrapping-counter.js';
import {
  ATTR_ENERGY_INTERFACE,
  ATTR_ENERGY_METHOD,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_PARENT,
  ATTR_HW_POWER_WINDOW,
  ATTR_HW_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';
import { hostEnergy, hostPower, hwPower } from '../../src/model/shared-metrics.js';
import { channelKinds, maxMicrowatts, nameSensor, type Channel, type Chip } from './channels.js';
import type { Config } from './config.js';
import { findDomain, findMaxWatts, type Domain } from './domains.js';
import { pairRails, type Pair } from './pairing-rules.js';

/**
 * Chips whose sensors are numbered by position within their type: `power1` and `energy1` belong to different
 * things (drivers/hwmon/scmi-hwmon.c).
 */
const unrelatedNumbers: ReadonlySet<string> = new Set(['scmi_sensors']);

/** A chip and what is published about it. */
export interface ChipPlan {
  readonly chip: Chip;
  /** Rails whose power is the product of two channels: the products follow the channel values. */
  readonly products: readonly (readonly [voltage: number, current: number])[];
  readonly columns: readonly ColumnPlan[];
}

/** A series of a chip: the value it shows, and how. */
export interface ColumnPlan {
  readonly metric: Metric;
  readonly attributes: Attributes;
  /** Index of a channel, or after the channels of a product. */
  readonly source: number;
  readonly kind: GaugeKind | CounterKind | IntegralKind;
}

interface GaugeKind {
  readonly name: 'gauge';
  readonly perUnit: number;
  readonly min: number;
  readonly max: number;
}

interface CounterKind {
  readonly name: 'counter';
  readonly maxWatts: number;
}

interface IntegralKind {
  readonly name: 'integral';
  readonly windowMs: number;
}

/** How chips are published. */
export interface PlanOptions {
  readonly claims: Claims;
  /** What is configured about rails and domains. */
  readonly config: Pick<Config, 'pairs' | 'host_meter' | 'domains'>;
  readonly isWanted: (name: string) => boolean;
}

/** A meter of power or energy, and what it measures. */
interface Sensor {
  readonly chip: Chip;
  readonly channel: Channel;
  readonly source: number;
  readonly label: string | undefined;
  readonly id: string;
  readonly domain: Domain;
  readonly pair?: Pair;
}

/** What is published about chips whose domains may contain each other. */
export function planChips(chips: readonly Chip[], options: PlanOptions): readonly ChipPlan[] {
  const wanted = chips.map((chip) => keepWanted(chip, options.isWanted));
  const pairs = wanted.map((chip) => pairRails(chip, options.config.pairs));
  const sensors = wanted.flatMap((chip, i) => findSensors(chip, pairs[i] ?? [], options));
  const tree = new DomainTree(sensors, options.claims);
  return wanted.map((chip, i) => ({
    chip,
    products: (pairs[i] ?? []).map(({ voltage, current }) => [
      chip.channels.indexOf(voltage),
      chip.channels.indexOf(current),
    ]),
    columns: [
      ...chip.channels.flatMap((channel, source) => planGauge(chip, channel, source)),
      ...sensors.filter((one) => one.chip === chip).flatMap((sensor) => tree.plan(sensor)),
    ],
  }));
}

function keepWanted(chip: Chip, isWanted: PlanOptions['isWanted']): Chip {
  const channels = chip.channels.filter((one) => isWanted(`${chip.name}/${one.label ?? nameSensor(one)}`));
  return { ...chip, channels };
}

/** Channels whose value is published unchanged: all except power and energy. */
function planGauge(chip: Chip, channel: Channel, source: number): readonly ColumnPlan[] {
  const { metric, type, perUnit, min, max } = channelKinds[channel.type];
  if (metric === undefined || channel.type === 'power') return [];
  const attributes = {
    [ATTR_HW_TYPE]: type,
    ...identify(chip, { id: identifySensor(chip, channel), channel, label: channel.label }),
  };
  return [{ metric, attributes, source, kind: { name: 'gauge', perUnit, min, max } }];
}

function findSensors(chip: Chip, pairs: readonly Pair[], { config }: PlanOptions): readonly Sensor[] {
  const create = (channel: Channel, source: number, own: string | undefined, pair?: Pair): Sensor => {
    const id = identifySensor(chip, pair ? nameProduct(chip, pair) : channel);
    const meter = { chip, channel, label: own ?? chip.label, id };
    return { ...meter, source, domain: findDomain(meter, config), ...(pair && { pair }) };
  };
  const own = chip.channels.flatMap((channel, source) =>
    channel.type === 'power' || channel.type === 'energy' ? [create(channel, source, channel.label)] : [],
  );
  const rails = pairs.map((pair, i) => create(pair.current, chip.channels.length + i, pair.label, pair));
  return [...own, ...rails];
}

/** A product is named like the power that the chip would report, unless it reports another one by this name. */
function nameProduct({ channels }: Chip, { current }: Pair): Pick<Channel, 'type' | 'index'> {
  const isTaken = channels.some(({ type, index }) => type === 'power' && index === current.index);
  return isTaken ? current : { type: 'power', index: current.index };
}

/** Which sensor measures a domain, and which domain contains another. */
class DomainTree {
  readonly #claims: Claims;
  /** The sensor whose energy is that of a domain, by key. */
  readonly #byKey = new Map<string, Sensor>();

  constructor(sensors: readonly Sensor[], claims: Claims) {
    this.#claims = claims;
    for (const sensor of sensors) {
      const { key, isLeftOut } = sensor.domain;
      if (key === undefined || isLeftOut || this.#byKey.has(key)) continue;
      if (this.#isIntegrated(sensor) || sensor.channel.type === 'energy') this.#byKey.set(key, sensor);
    }
  }

  plan(sensor: Sensor): readonly ColumnPlan[] {
    const { domain, channel, chip, source } = sensor;
    if (domain.isNoPower) return [];
    const parent = this.#findParent(sensor);
    this.#place(sensor);
    const own = {
      [ATTR_HW_TYPE]: domain.type,
      ...identify(chip, sensor),
      ...(parent && { [ATTR_HW_PARENT]: parent.id }),
      ...describeItem(channel),
    };
    const energy = domain.isLeftOut ? undefined : this.#planEnergy(sensor, own);
    if (channel.type === 'energy') return energy ? [energy] : [];
    const metric = energy?.metric === hostEnergy ? hostPower : hwPower;
    const { min, max } = channelKinds.power;
    const power: ColumnPlan = {
      metric,
      attributes: own,
      source,
      kind: { name: 'gauge', perUnit: channelKinds.power.perUnit, min, max },
    };
    return energy ? [power, energy] : [power];
  }

  #planEnergy(sensor: Sensor, own: Attributes): ColumnPlan | undefined {
    const { channel, domain, pair, source } = sensor;
    const isCounter = channel.type === 'energy';
    if (!isCounter && !this.#isIntegrated(sensor)) return undefined;
    // Of several sensors of one domain, the first one is used: the others show the same, or a part of it.
    const isFirst = domain.key === undefined || this.#byKey.get(domain.key) === sensor;
    const { metric } = claimEnergy(this.#claims, isFirst ? domain.measured : 'other');
    const attributes = {
      ...own,
      [ATTR_ENERGY_METHOD]: 'measured',
      [ATTR_ENERGY_INTERFACE]: isCounter ? 'hwmon_energy' : pair ? 'hwmon_voltage_current' : 'hwmon_power',
    };
    const kind = isCounter
      ? ({ name: 'counter', maxWatts: findMaxWatts(domain) } as const)
      : ({ name: 'integral', windowMs: channel.windowMs ?? 0 } as const);
    return { metric, attributes, source, kind };
  }

  /**
   * Whether energy is integrated from a power reading: not if the chip counts the same energy, or has a more
   * suitable power reading.
   */
  #isIntegrated({ chip, channel, pair, label }: Sensor): boolean {
    if (channel.type === 'energy') return false;
    const isNumbered = !unrelatedNumbers.has(chip.name);
    const isSame = (one: Channel) =>
      (isNumbered && one.index === channel.index) || (label !== undefined && one.label === label);
    if (chip.channels.some((one) => one.type === 'energy' && isSame(one))) return false;
    return pair !== undefined || isBest(chip.channels, channel);
  }

  /** Its parent may be a meter of another receiver, and it may be the parent of others. */
  #place(sensor: Sensor): void {
    const { id, domain } = sensor;
    const { key, within } = domain;
    const isFirst = key !== undefined && this.#byKey.get(key) === sensor;
    this.#claims.place({ id, ...(isFirst && { key }), ...(within && { within }) });
  }

  #findParent({ domain, id }: Sensor): Sensor | undefined {
    const keys = domain.within ?? [];
    const found = keys.flatMap((key) => this.#byKey.get(key) ?? []).find((one) => one.id !== id);
    return found ?? undefined;
  }
}

/**
 * Of the input and the average of one sensor, the average is used if its window is known; otherwise the input,
 * since the average may cover the time since the chip was started (Documentation/hwmon/max34440.rst).
 */
function isBest(channels: readonly Channel[], { type, index, item, windowMs }: Channel): boolean {
  const others = channels.filter((one) => one.type === type && one.index === index && one.item !== item);
  if (others.length === 0) return true;
  return item === 'average' ? windowMs !== undefined : others.every((one) => one.windowMs === undefined);
}

function identify(chip: Chip, { id, channel, label }: Pick<Sensor, 'id' | 'channel' | 'label'>): Attributes {
  return {
    [ATTR_HW_ID]: id,
    [ATTR_HW_NAME]: label ?? nameSensor(channel),
    'hwmon.chip': chip.name,
  };
}

function identifySensor(chip: Chip, channel: Pick<Channel, 'type' | 'index'>): string {
  return `${chip.id}/${nameSensor(channel)}`;
}

/** The averaging time in seconds, `1s`; `average` if the chip does not report it. */
function describeItem({ item, windowMs }: Channel): Attributes {
  if (item !== 'average') return {};
  return { [ATTR_HW_POWER_WINDOW]: windowMs === undefined ? 'average' : `${windowMs / 1e3}s` };
}

/** The meters of a plan, for rows of its values. */
export function createMeters(
  { columns }: ChipPlan,
  resource: Resource,
  { start, maxGapMs }: { readonly start: bigint; readonly maxGapMs: GapLimit },
): readonly SourcedMeter[] {
  return columns.map(({ metric, attributes, source, kind }) => {
    const series = { metric, resource, attributes, start };
    return { source, meter: createMeter(series, kind, maxGapMs) };
  });
}

function createMeter(series: Series, kind: ColumnPlan['kind'], maxGapMs: GapLimit): Meter {
  switch (kind.name) {
    case 'gauge':
      return createGauge(series, kind);
    case 'counter':
      return new CounterMeter(
        series,
        new WrappingCounter({ maxMicrojoules: Infinity, maxWatts: kind.maxWatts }),
      );
    case 'integral':
      return createIntegral(series, new IntegratedPower({ maxGapMs, windowMs: kind.windowMs }));
  }
}

function createGauge(series: Series, { perUnit, min, max }: GaugeKind): Meter {
  return { series, take: (value) => (value >= min && value <= max ? value / perUnit : NaN) };
}

/** Reverse power, as of a battery that is being charged, is not counted. */
function createIntegral(series: Series, power: IntegratedPower): Meter {
  const meter = new IntegratedMeter(series, power);
  return {
    get series() {
      return meter.series;
    },
    take: (value, at, atNs) =>
      meter.take(Math.abs(value) <= maxMicrowatts ? Math.max(0, value) : NaN, at, atNs),
  };
}
