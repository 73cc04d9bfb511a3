/** A power supply in `/sys/class/power_supply/<name>/uevent`. */
export interface Supply {
  readonly name: string;
  /** `Battery`, `UPS`, `Mains`, `USB`, `Wireless`. */
  readonly type: string;
  /** Its properties without prefix: `ENERGY_NOW`. Unreadable ones are missing. */
  readonly properties: ReadonlyMap<string, string>;
}

const linePattern = /^POWER_SUPPLY_([A-Z0-9_]+)=(.*)$/u;

/** @returns undefined if it is not a description of a power supply */
export function parseSupply(name: string, text: string): Supply | undefined {
  // Without a final line end it is truncated, and a truncated number would not be noticed.
  if (!text.endsWith('\n')) return undefined;
  const entries = text.split('\n').flatMap((line): readonly (readonly [string, string])[] => {
    const [, key, value] = linePattern.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value.trim()]];
  });
  const properties = new Map(entries);
  if (!properties.has('NAME')) return undefined;
  const type = properties.get('TYPE') ?? (properties.has('ONLINE') ? 'Mains' : 'Battery');
  return { name, type, properties };
}

/** A whole number; NaN: none. */
export function readNumber({ properties }: Supply, key: string): number {
  const text = properties.get(key) ?? '';
  return /^-?\d{1,15}$/u.test(text) ? Number(text) : NaN;
}

export function isBattery({ type }: Supply): boolean {
  return type === 'Battery' || type === 'UPS';
}

/** Whether it supplies the machine, not a mouse or a headset. */
export function isOfMachine({ properties }: Supply): boolean {
  return properties.get('SCOPE') !== 'Device' && properties.get('PRESENT') !== '0';
}

/** The state of a battery. For an idle battery, drivers report either `Not charging` or `Unknown`. */
export function readStatus({ properties }: Supply): string {
  return (properties.get('STATUS') ?? 'Unknown').toLowerCase().replaceAll(' ', '_');
}

/** A larger value is a driver's sentinel. */
const maxMicro = 1e10;

/**
 * The current into a battery in microamperes, negative while it discharges. The kernel defines it so
 * (Documentation/ABI/testing/sysfs-class-power), but drivers such as ACPI's report the absolute value: the
 * status gives the sign.
 */
export function readCurrent(supply: Supply): number {
  return applySign(supply, bound(first(supply, ['CURRENT_NOW', 'CURRENT_AVG'])));
}

/**
 * The power into a battery in microwatts, with the sign of its current; computed from voltage and current if
 * necessary.
 */
export function readPower(supply: Supply): number {
  const microwatts = bound(first(supply, ['POWER_NOW', 'POWER_AVG']));
  if (!Number.isNaN(microwatts)) return applySign(supply, microwatts);
  return Math.round((readCurrent(supply) * bound(first(supply, ['VOLTAGE_NOW', 'VOLTAGE_AVG']))) / 1e6);
}

function applySign(supply: Supply, value: number): number {
  const status = readStatus(supply);
  if (status === 'discharging') return value === 0 ? 0 : -Math.abs(value);
  return status === 'charging' ? Math.abs(value) : value;
}

function bound(value: number): number {
  return Math.abs(value) <= maxMicro ? value : NaN;
}

function first(supply: Supply, keys: readonly string[]): number {
  return readNumber(supply, keys.find((key) => supply.properties.has(key)) ?? '');
}

/**
 * The power that a machine draws from its batteries in microwatts.
 * @returns undefined while another source supplies it, or no battery discharges; NaN: unknown
 */
export function readDischarge(supplies: readonly Supply[]): number | undefined {
  const own = supplies.filter(isOfMachine);
  const discharging = own.filter((one) => isBattery(one) && readStatus(one) === 'discharging');
  const online = own.filter((one) => !isBattery(one)).map((one) => readNumber(one, 'ONLINE'));
  if (discharging.length === 0 || online.some((one) => one > 0)) return undefined;
  // An adapter that does not report whether it is online may supply the machine.
  const none = online.some(Number.isNaN) ? NaN : 0;
  return discharging.reduce((sum, one) => sum - readPower(one), none);
}
