import type { MeterReading } from '../../src/scraping/meter-reading.js';
import type { Config, Quantity } from './config.js';
import { presets, type Column, type SensorTable, type TablePreset } from './presets.js';
import type { SnmpClient, SnmpObject, SnmpValue } from './snmp-session.js';

/** An object that is read, and its meaning. */
export interface MeteredObject {
  readonly oid: string;
  readonly quantity: Quantity;
  /** SI units per unit of the object. */
  readonly scale: number;
  /** The channel that it belongs to: `outlet:1.5`. */
  readonly channel: string;
  readonly type: string;
  readonly name: string | undefined;
  /** The type of the channel whose energy includes this one. */
  readonly partOf?: string | undefined;
  /** Maximum absolute value, if it may be negative. Unset: a negative value means that it is not measured. */
  readonly maxAbsolute?: number | undefined;
}

const sysObjectId = '1.3.6.1.2.1.1.2.0';
const sysUpTime = '1.3.6.1.2.1.1.3.0';

/**
 * Finds the objects of a device: the tables of a preset, and configured objects.
 * @throws Error if it does not respond, or has none of them
 */
export async function discoverObjects(
  client: SnmpClient,
  preset: Config['endpoints'][number]['preset'],
  objects: Config['objects'],
  signal: AbortSignal,
): Promise<readonly MeteredObject[]> {
  const found: MeteredObject[] = [];
  for (const { oid, quantity, scale, type } of objects) {
    const column = { oid: oid.replace(/^\./u, ''), quantity, scale };
    found.push(...(await findColumn(client, column, { type, names: new Map() }, signal)));
  }
  const configured = found.length;
  for (const table of await chooseTables(client, preset, signal)) {
    if ('isFallback' in table && found.length > configured) continue;
    const rows = 'valueOid' in table ? findSensors(client, table, signal) : findTable(client, table, signal);
    found.push(...(await rows));
  }
  if (found.length > 0) return found;
  throw new Error(`expected objects of the preset ${preset} or of the setting objects, found none`);
}

async function chooseTables(
  client: SnmpClient,
  preset: Config['endpoints'][number]['preset'],
  signal: AbortSignal,
): Promise<readonly (TablePreset | SensorTable)[]> {
  if (preset === 'none') return [];
  if (preset !== 'auto') return presets[preset].tables;
  const objects = await client.get([sysObjectId], signal);
  const vendor = String(objects.get(sysObjectId)?.value ?? '').replace(/^\./u, '');
  const match = Object.values(presets).find(({ vendors }) =>
    vendors.some((prefix) => vendor === prefix || vendor.startsWith(`${prefix}.`)),
  );
  return match?.tables ?? [...presets.ups.tables, ...presets.entity_sensor.tables];
}

interface Described {
  readonly type: string;
  readonly names: ReadonlyMap<string, SnmpObject>;
  readonly partOf?: string | undefined;
}

async function findTable(
  client: SnmpClient,
  { type, nameOid, columns, partOf }: TablePreset,
  signal: AbortSignal,
): Promise<readonly MeteredObject[]> {
  const names = nameOid === undefined ? new Map<string, SnmpObject>() : await client.walk(nameOid, signal);
  const found: MeteredObject[] = [];
  for (const column of columns)
    found.push(...(await findColumn(client, column, { type, names, partOf }, signal)));
  return found;
}

async function findColumn(
  client: SnmpClient,
  { oid, quantity, scale }: Column,
  { type, names, partOf }: Described,
  signal: AbortSignal,
): Promise<readonly MeteredObject[]> {
  const rows = await client.walk(oid, signal);
  // An object with its instance has no descendants.
  const instances = rows.size === 0 ? await findInstance(client, oid, signal) : rows;
  return [...instances].flatMap(([instance, { value }]) => {
    if (measure(value, quantity) === undefined) return [];
    const at = instance === '' ? oid : `${oid}.${instance}`;
    const channel = `${type}:${instance === '' ? oid : instance}`;
    return { oid: at, quantity, scale, channel, type, name: textOf(names.get(instance)), partOf };
  });
}

async function findInstance(client: SnmpClient, oid: string, signal: AbortSignal) {
  const object = (await client.get([oid], signal)).get(oid);
  return object === undefined ? new Map<string, SnmpObject>() : new Map([['', object]]);
}

/** Tables with a row per sensor, whose unit and decimals are in other columns. */
async function findSensors(
  client: SnmpClient,
  table: SensorTable,
  signal: AbortSignal,
): Promise<readonly MeteredObject[]> {
  const { type, valueOid, nameOid, partOf } = table;
  const values = await client.walk(valueOid, signal);
  if (values.size === 0) return [];
  const names = await client.walk(nameOid, signal);
  const columns = new Map<string, ReadonlyMap<string, SnmpObject>>();
  for (const oid of table.columnOids) columns.set(oid, await client.walk(oid, signal));
  return [...values.keys()].flatMap((instance) => {
    const read = (oid: string) => numberOf(columns.get(oid)?.get(instance)?.value);
    const sensor = table.describe(instance, read);
    if (sensor === undefined) return [];
    const { row, quantity, scale, maxAbsolute } = sensor;
    const oid = `${sensor.valueOid ?? valueOid}.${instance}`;
    const name = textOf(names.get(row));
    return { oid, quantity, scale, channel: `${type}:${row}`, type, name, partOf, maxAbsolute };
  });
}

function textOf(object: SnmpObject | undefined): string | undefined {
  const { value } = object ?? {};
  const text = Buffer.isBuffer(value) ? value.toString() : '';
  // Some agents end strings with a NUL.
  return text.replaceAll('\0', '').trim() || undefined;
}

function numberOf(value: SnmpValue): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** Devices report -1 for unmeasured quantities, unless these may be negative. */
function measure(value: SnmpValue, quantity: Quantity, maxAbsolute?: number): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number') return undefined;
  if (maxAbsolute !== undefined) return Math.abs(number) <= maxAbsolute ? number : undefined;
  return number < 0 && quantity !== 'temperature' ? undefined : number;
}

/** An agent's response. */
export interface DeviceAnswer {
  readonly readings: readonly MeterReading[];
  /** Seconds since the agent started. */
  readonly uptime: number | undefined;
}

/**
 * Reads the objects of a device.
 * @param device the prefix of `hw.id`
 * @returns undefined if the device has fewer objects than were found
 */
export async function readObjects(
  client: SnmpClient,
  objects: readonly MeteredObject[],
  device: string,
  signal: AbortSignal,
): Promise<DeviceAnswer | undefined> {
  const answer = await client.get([sysUpTime, ...objects.map(({ oid }) => oid)], signal);
  if (objects.some(({ oid }) => !answer.has(oid))) return undefined;
  const readings = new Map<string, Writable>();
  for (const object of objects) {
    const { channel, quantity, scale, maxAbsolute } = object;
    const reading = readings.get(channel) ?? describe(object, objects, device);
    readings.set(channel, reading);
    const { value, isCounter32 = false } = answer.get(object.oid) ?? {};
    const count = measure(value, quantity, maxAbsolute);
    if (count === undefined) continue;
    if (quantity === 'energy') reading.energy = { count, joules: scale, wraps: isCounter32 };
    else reading[fields[quantity]] = count * scale;
  }
  const ticks = numberOf(answer.get(sysUpTime)?.value);
  return { readings: [...readings.values()], uptime: ticks === undefined ? undefined : ticks / 100 };
}

const fields = { power: 'watts', voltage: 'volts', current: 'amperes', temperature: 'celsius' } as const;

type Writable = { -readonly [Key in keyof MeterReading]: MeterReading[Key] };

function describe(object: MeteredObject, objects: readonly MeteredObject[], device: string): Writable {
  const { channel, type, name, partOf } = object;
  const wholes = new Set(objects.filter((one) => one.type === partOf).map((one) => one.channel));
  // With several inlets, it is unknown which one supplies an outlet.
  const [whole] = wholes.size > 1 ? [''] : wholes;
  const parent = whole === undefined ? undefined : whole === '' ? device : `${device}/${whole}`;
  return { id: `${device}/${channel}`, type, name, parent };
}
