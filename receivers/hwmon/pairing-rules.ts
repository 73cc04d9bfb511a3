import type { Channel, Chip } from './channels.js';

/** How the voltages and currents of a chip form rails. */
interface PairingRule {
  /** Chip names of the drivers. */
  readonly chips: readonly string[];
  /** The channel numbers of a rail's voltage and current. */
  readonly pairs: readonly (readonly [voltage: number, current: number])[];
  /** Voltages in microvolts, although the kernel documents millivolts for all. */
  readonly microvolts?: readonly number[];
  /** Its documentation, in the kernel tree. */
  readonly source: string;
}

/**
 * Chips whose voltages and currents have different numbers, or no labels to pair them by. A pair is used only
 * if the chip does not report the power of the rail itself. PMBus chips are paired by label.
 */
export const pairingRules: readonly PairingRule[] = [
  // in0 is the shunt voltage.
  {
    chips: ['ina219', 'ina220', 'ina226', 'ina230', 'ina231', 'ina232', 'ina234', 'ina260', 'sy24655'],
    pairs: [[1, 1]],
    source: 'drivers/hwmon/ina2xx.c, ina2xx_in_read',
  },
  { chips: ['ina209'], pairs: [[1, 1]], source: 'Documentation/hwmon/ina209.rst' },
  {
    chips: ['ina228', 'ina237', 'ina238', 'ina700', 'ina780', 'sq52206'],
    pairs: [[1, 1]],
    source: 'drivers/hwmon/ina238.c, ina238_info',
  },
  // in4 to in6 are shunt voltages; in7 and curr4 are sums and belong to no rail.
  {
    chips: ['ina3221'],
    pairs: [
      [1, 1],
      [2, 2],
      [3, 3],
    ],
    microvolts: [4, 5, 6, 7],
    source: 'drivers/hwmon/ina3221.c, ina3221_read_in',
  },
  // in2 is an auxiliary input.
  { chips: ['ltc2945'], pairs: [[1, 1]], source: 'Documentation/hwmon/ltc2945.rst' },
  // in1 is the supply of the chip.
  { chips: ['ltc2947'], pairs: [[0, 1]], source: 'Documentation/hwmon/ltc2947.rst' },
  // Currents are unscaled voltage drops: the driver does not know the resistor.
  { chips: ['ltc2990'], pairs: [], source: 'Documentation/hwmon/ltc2990.rst' },
  // in2 to in5 are general-purpose inputs.
  {
    chips: ['ltc2992'],
    pairs: [
      [0, 1],
      [1, 2],
    ],
    source: 'drivers/hwmon/ltc2992.c, ltc2992_read_in',
  },
  { chips: ['ltc4151'], pairs: [[1, 1]], source: 'Documentation/hwmon/ltc4151.rst' },
  { chips: ['ltc4215'], pairs: [[1, 1]], source: 'drivers/hwmon/ltc4215.c, ltc4215_power_show' },
  // in2 and in4 are auxiliary inputs.
  {
    chips: ['ltc4222'],
    pairs: [
      [1, 1],
      [3, 2],
    ],
    source: 'drivers/hwmon/ltc4222.c, ltc4222_attrs',
  },
  // in5 to in8 are the voltages after the switches, in9 to in11 are general-purpose inputs. Power is in microwatts,
  // although its documentation has milliwatts.
  {
    chips: ['ltc4245'],
    pairs: [
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ],
    source: 'drivers/hwmon/ltc4245.c, ltc4245_read_power',
  },
  { chips: ['ltc4260'], pairs: [[1, 1]], source: 'Documentation/hwmon/ltc4260.rst' },
  // Both voltages are auxiliary inputs with dividers that the driver does not know.
  { chips: ['ltc4261'], pairs: [], source: 'Documentation/hwmon/ltc4261.rst' },
  // Only one of in0 and in1 exists: after or before the switch. in2 is a general-purpose input.
  {
    chips: ['ltc4282'],
    pairs: [
      [1, 1],
      [0, 1],
    ],
    source: 'Documentation/hwmon/ltc4282.rst',
  },
  { chips: ['isl28022'], pairs: [[0, 1]], source: 'Documentation/hwmon/isl28022.rst' },
  { chips: ['tsc1641'], pairs: [[0, 1]], source: 'Documentation/hwmon/tsc1641.rst' },
  // Its documentation has other units than the driver, which gives millivolts and milliamperes.
  { chips: ['adm1177'], pairs: [[0, 1]], source: 'drivers/hwmon/adm1177.c, adm1177_read' },
  // The current is labelled iout1 whether vin1 or vout1 is measured; the other chips report power, and may
  // measure an auxiliary voltage.
  {
    chips: ['adm1272', 'adm1273', 'adm1275', 'adm1276', 'adm1278', 'adm1281'],
    pairs: [[1, 1]],
    source: 'drivers/hwmon/pmbus/adm1275.c, adm1275_probe',
  },
  {
    chips: ['adm1075', 'adm1293', 'adm1294'],
    pairs: [],
    source: 'drivers/hwmon/pmbus/adm1275.c, adm1275_probe',
  },
  // curr1 is the total current, but in0 is the mains voltage: input and output must not be combined.
  {
    chips: ['corsairpsu'],
    pairs: [
      [1, 2],
      [2, 3],
      [3, 4],
    ],
    source: 'drivers/hwmon/corsair-psu.c, corsairpsu_hwmon_in_read',
  },
];

/** Voltage and current of one rail. */
export interface Pair {
  readonly voltage: Channel;
  readonly current: Channel;
  readonly label: string | undefined;
}

/** A configured pair. */
interface ConfiguredPair {
  readonly chip: string;
  readonly voltage: number;
  readonly current: number;
}

/** The voltages of a chip that are in microvolts. */
export function findMicrovolts(chipName: string): readonly number[] {
  return pairingRules.find(({ chips }) => chips.includes(chipName))?.microvolts ?? [];
}

/**
 * The rails whose power the chip does not report itself: as configured; else by the rules for the chip, else by
 * equal labels, apart from the quantity (`FPGA Core Voltage` and `FPGA Core Current` of intel-m10-bmc-hwmon.c),
 * or those of PMBus (drivers/hwmon/pmbus/pmbus_core.c): `vout1` and `iout1` belong to the power `pout1`. Unknown chips without labels have no pairs: whether equal numbers belong together depends on the
 * chip.
 */
export function pairRails({ name, channels }: Chip, configured: readonly ConfiguredPair[]): readonly Pair[] {
  const find = (type: Channel['type'], index: number) =>
    channels.find((one) => one.type === type && one.index === index && one.item === 'input');
  const own = configured.filter(({ chip }) => chip === name);
  const numbers = own.length > 0 ? own.map((one) => [one.voltage, one.current] as const) : findNumbers(name);
  const isNumbered = numbers.length > 0 || isKnown(name);
  const byNumber = numbers.flatMap(([v, c]) => createPair(find('in', v), find('curr', c)));
  const pairs = isNumbered ? byNumber : pairByLabel(channels);
  return keepFirst(pairs).filter((pair) => !hasPower(channels, pair, isNumbered));
}

/** What a label names, without the quantity. */
function nameRail(label: string): string {
  return label.replace(/\s+(?:voltage|current|power)$/iu, '');
}

function isKnown(name: string): boolean {
  return pairingRules.some(({ chips }) => chips.includes(name));
}

function findNumbers(name: string): readonly (readonly [number, number])[] {
  return pairingRules.find(({ chips }) => chips.includes(name))?.pairs ?? [];
}

function pairByLabel(channels: readonly Channel[]): readonly Pair[] {
  const inputs = channels.filter(({ item }) => item === 'input');
  const voltages = inputs.filter(({ type, label }) => type === 'in' && label !== undefined);
  return voltages.flatMap((voltage) => {
    const label = voltage.label ?? '';
    const wanted = /^v(?:in|out)\d*$/u.test(label) ? `i${label.slice(1)}` : nameRail(label);
    return createPair(
      voltage,
      inputs.find(({ type, label: own }) => type === 'curr' && own !== undefined && nameRail(own) === wanted),
    );
  });
}

function createPair(voltage: Channel | undefined, current: Channel | undefined): readonly Pair[] {
  if (voltage === undefined || current === undefined) return [];
  const label = voltage.label ?? current.label;
  return [{ voltage, current, label: label === undefined ? undefined : nameRail(label) }];
}

/** A current that matches two voltages is used once. */
function keepFirst(pairs: readonly Pair[]): readonly Pair[] {
  return pairs.filter(({ current }, i) => pairs.findIndex((one) => one.current === current) === i);
}

/**
 * Whether the chip reports the power of a rail: by PMBus label, by equal label, or else by number, which means
 * something only where the numbers of the chip are known, or its power has no label.
 */
function hasPower(
  channels: readonly Channel[],
  { voltage, current, label }: Pair,
  isNumbered: boolean,
): boolean {
  const pmbusLabels = new Set(
    [voltage.label, current.label].map((one) => one?.replace(/^[vi](?=in|out)/u, 'p')),
  );
  return channels.some(({ type, ...power }) => {
    if (type !== 'power') return false;
    if (/^p(?:in|out)/u.test(power.label ?? '')) return pmbusLabels.has(power.label);
    if (label !== undefined && power.label !== undefined && nameRail(power.label) === label) return true;
    return power.index === current.index && (isNumbered || power.label === undefined);
  });
}
