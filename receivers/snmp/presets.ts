import type { Config, Quantity } from './config.js';

/** A column of a table. */
export interface Column {
  readonly oid: string;
  readonly quantity: Quantity;
  /** SI units per unit of the column. */
  readonly scale: number;
}

/** A table with a row per channel, and a column per quantity. */
export interface TablePreset {
  /** `hw.type` of its rows. */
  readonly type: string;
  readonly nameOid?: string;
  readonly columns: readonly Column[];
  /** The type of the channel whose energy includes that of its rows. */
  readonly partOf?: string;
  /** Whether it is only read if the tables before it are empty. */
  readonly isFallback?: boolean;
}

/** A quantity of a row of a sensor table. */
export interface SensorRow {
  /** The channel that it belongs to. */
  readonly row: string;
  readonly quantity: Quantity;
  readonly scale: number;
  /** The column of its value, if it is not that of the table. */
  readonly valueOid?: string;
  /** Maximum absolute value, if it may be negative; beyond that it is unknown. Unset: a negative value is. */
  readonly maxAbsolute?: number;
}

/** A table with a row per sensor, and other columns that describe it. */
export interface SensorTable {
  readonly type: string;
  readonly valueOid: string;
  readonly nameOid: string;
  readonly columnOids: readonly string[];
  readonly partOf?: string;
  /**
   * The meaning of a sensor.
   * @param read reads one of the columns
   * @returns undefined for a sensor that is not read
   */
  describe(instance: string, read: (oid: string) => number | undefined): SensorRow | undefined;
}

/** The objects of a vendor's devices. */
export interface Preset {
  /** Prefixes of `sysObjectID`. */
  readonly vendors: readonly string[];
  readonly tables: readonly (TablePreset | SensorTable)[];
}

type PresetName = Exclude<Config['endpoints'][number]['preset'], 'auto' | 'none'>;

const wattHour = 3600;
const apc = '1.3.6.1.4.1.318.1.1.26';
const apcEasy = '1.3.6.1.4.1.318.1.1.30';
const sentry4 = '1.3.6.1.4.1.1718.4.1';
const eaton = '1.3.6.1.4.1.534.6.6.7';
const ups = '1.3.6.1.2.1.33.1';
const raritan = '1.3.6.1.4.1.13742.6';

interface RaritanOids {
  /** Table of measurements: column 2 whether it is available, 4 the value, 6 the value if it can be negative. */
  readonly values: string;
  /** Table of sensors: column 7 the decimals of their values, 27 the minimum of those that can be negative. */
  readonly config: string;
  readonly names: string;
}

/** Raritan's sensor numbers: rmsCurrent, rmsVoltage, activePower, activeEnergy. */
const raritanQuantities: ReadonlyMap<string, readonly [Quantity, number]> = new Map([
  ['1', ['current', 1]],
  ['4', ['voltage', 1]],
  ['5', ['power', 1]],
  ['8', ['energy', wattHour]],
]);

/** Rows by PDU, inlet or outlet, and kind of sensor: `1.5.8`. */
function describeRaritan(type: string, { values, config, names }: RaritanOids): SensorTable {
  const [isAvailable, decimals, minimum] = [`${values}.2`, `${config}.7`, `${config}.27`];
  return {
    type,
    valueOid: `${values}.4`,
    nameOid: names,
    columnOids: [isAvailable, decimals, minimum],
    describe(instance, read) {
      const [, row = '', kind = ''] = /^(.*)\.(\d+)$/u.exec(instance) ?? [];
      const [quantity, scale] = raritanQuantities.get(kind) ?? [];
      // An SNMP TruthValue: 1 is true, 2 is false.
      if (quantity === undefined || scale === undefined || read(isAvailable) === 2) return undefined;
      const sensorRow = { row, quantity, scale: scale / 10 ** (read(decimals) ?? 0) };
      // The value of column 4 is undefined for these sensors, such as the power of an inlet of a PX4.
      const isSigned = (read(minimum) ?? 0) < 0;
      return isSigned ? { ...sensorRow, valueOid: `${values}.6`, maxAbsolute: 2 ** 31 } : sensorRow;
    },
  };
}

const sensor = '1.3.6.1.2.1.99.1.1.1';
const [sensorType, sensorScale, precision, operStatus] = [1, 2, 3, 5].map((column) => `${sensor}.${column}`);

/** `EntitySensorDataType`: voltsAC, voltsDC, amperes, watts, celsius. */
const entityQuantities: ReadonlyMap<number | undefined, Quantity> = new Map([
  [3, 'voltage'],
  [4, 'voltage'],
  [5, 'current'],
  [6, 'power'],
  [8, 'temperature'],
]);

/** `EntitySensorDataScale`: 9 is units, each step a factor of 1000. */
const unitScale = 9;

/** `EntitySensorValue` has nine digits; 10^9 means an overflow, and -10^9 an underflow. */
const maxSensorValue = 999_999_999;

function describeEntities(): SensorTable {
  const columnOids = [sensorType, sensorScale, precision, operStatus].filter((oid) => oid !== undefined);
  return {
    type: 'sensor',
    valueOid: `${sensor}.4`,
    // entPhysicalName of ENTITY-MIB.
    nameOid: '1.3.6.1.2.1.47.1.1.1.1.7',
    columnOids,
    describe(row, read) {
      const [kind, scale = unitScale, digits = 0, status] = columnOids.map(read);
      const quantity = entityQuantities.get(kind);
      if (quantity === undefined || status !== 1) return undefined;
      // `EntitySensorPrecision`: positive is the number of decimals, negative that of accurate digits.
      const decimals = Math.max(0, digits);
      const power = 10 ** (3 * (scale - unitScale) - decimals);
      return { row, quantity, scale: power, maxAbsolute: maxSensorValue };
    },
  };
}

/** From the MIBs PowerNet-MIB, Sentry4-MIB, EATON-EPDU-MIB, PDU2-MIB, UPS-MIB (RFC 1628) and ENTITY-SENSOR-MIB (RFC 3433). */
export const presets: Readonly<Record<PresetName, Preset>> = {
  apc_rpdu2: {
    // The rack PDUs; UPSs and other devices of APC have other products below 318.1.3.
    vendors: ['1.3.6.1.4.1.318.1.3.4'],
    tables: [
      {
        type: 'pdu',
        nameOid: `${apc}.4.3.1.3`,
        columns: [
          { oid: `${apc}.4.3.1.5`, quantity: 'power', scale: 10 },
          { oid: `${apc}.4.3.1.9`, quantity: 'energy', scale: 100 * wattHour },
        ],
      },
      {
        type: 'phase',
        columns: [
          { oid: `${apc}.6.3.1.5`, quantity: 'current', scale: 0.1 },
          { oid: `${apc}.6.3.1.6`, quantity: 'voltage', scale: 1 },
          { oid: `${apc}.6.3.1.7`, quantity: 'power', scale: 10 },
        ],
        partOf: 'pdu',
      },
      {
        type: 'outlet',
        nameOid: `${apc}.9.4.3.1.3`,
        columns: [
          { oid: `${apc}.9.4.3.1.6`, quantity: 'current', scale: 0.1 },
          { oid: `${apc}.9.4.3.1.7`, quantity: 'power', scale: 1 },
          { oid: `${apc}.9.4.3.1.11`, quantity: 'energy', scale: 100 * wattHour },
        ],
        partOf: 'pdu',
      },
      // Easy Rack PDUs have these tables instead. Units by values of a device in NUT's apc-epdu-mib.c.
      { type: 'pdu', columns: [{ oid: `${apcEasy}.2.1.1.7`, quantity: 'power', scale: 1 }] },
      {
        type: 'phase',
        columns: [
          { oid: `${apcEasy}.4.2.1.4`, quantity: 'voltage', scale: 0.1 },
          { oid: `${apcEasy}.4.2.1.5`, quantity: 'current', scale: 0.01 },
          { oid: `${apcEasy}.4.2.1.6`, quantity: 'power', scale: 1 },
        ],
        partOf: 'pdu',
      },
      // rPDUIdentDevicePowerWatts of older rack PDUs (AP78xx), which newer ones have, too.
      {
        type: 'pdu',
        columns: [{ oid: '1.3.6.1.4.1.318.1.1.12.1.16', quantity: 'power', scale: 1 }],
        isFallback: true,
      },
    ],
  },
  servertech_sentry4: {
    vendors: ['1.3.6.1.4.1.1718.4'],
    tables: [
      {
        type: 'inlet',
        nameOid: `${sentry4}.3.2.1.3`,
        columns: [
          { oid: `${sentry4}.3.3.1.3`, quantity: 'power', scale: 1 },
          { oid: `${sentry4}.3.3.1.10`, quantity: 'energy', scale: 100 * wattHour },
        ],
      },
      {
        type: 'outlet',
        nameOid: `${sentry4}.8.2.1.3`,
        columns: [
          { oid: `${sentry4}.8.3.1.3`, quantity: 'current', scale: 0.01 },
          { oid: `${sentry4}.8.3.1.7`, quantity: 'power', scale: 1 },
          { oid: `${sentry4}.8.3.1.14`, quantity: 'energy', scale: wattHour },
        ],
        partOf: 'inlet',
      },
    ],
  },
  eaton_epdu: {
    vendors: ['1.3.6.1.4.1.534.6.6.7'],
    tables: [
      {
        type: 'inlet',
        columns: [
          { oid: `${eaton}.3.5.1.4`, quantity: 'power', scale: 1 },
          { oid: `${eaton}.3.5.1.5`, quantity: 'energy', scale: wattHour },
        ],
      },
      {
        type: 'outlet',
        nameOid: `${eaton}.6.1.1.3`,
        columns: [
          { oid: `${eaton}.6.3.1.2`, quantity: 'voltage', scale: 0.001 },
          { oid: `${eaton}.6.4.1.3`, quantity: 'current', scale: 0.001 },
          { oid: `${eaton}.6.5.1.3`, quantity: 'power', scale: 1 },
          { oid: `${eaton}.6.5.1.4`, quantity: 'energy', scale: wattHour },
        ],
        partOf: 'inlet',
      },
    ],
  },
  raritan_pdu2: {
    vendors: ['1.3.6.1.4.1.13742.6'],
    tables: [
      describeRaritan('inlet', {
        values: `${raritan}.5.2.3.1`,
        config: `${raritan}.3.3.4.1`,
        // inletName; column 2 is inletLabel, which the manufacturer sets.
        names: `${raritan}.3.3.3.1.3`,
      }),
      {
        ...describeRaritan('outlet', {
          values: `${raritan}.5.4.3.1`,
          config: `${raritan}.3.5.4.1`,
          names: `${raritan}.3.5.3.1.3`,
        }),
        partOf: 'inlet',
      },
    ],
  },
  // The lines of the input and the output. On battery, the input does not contain the output.
  ups: {
    vendors: ['1.3.6.1.2.1.33'],
    tables: [
      {
        type: 'ups_input',
        columns: [
          { oid: `${ups}.3.3.1.3`, quantity: 'voltage', scale: 1 },
          { oid: `${ups}.3.3.1.4`, quantity: 'current', scale: 0.1 },
          { oid: `${ups}.3.3.1.5`, quantity: 'power', scale: 1 },
        ],
      },
      {
        type: 'ups_output',
        columns: [
          { oid: `${ups}.4.4.1.2`, quantity: 'voltage', scale: 1 },
          { oid: `${ups}.4.4.1.3`, quantity: 'current', scale: 0.1 },
          { oid: `${ups}.4.4.1.4`, quantity: 'power', scale: 1 },
        ],
      },
    ],
  },
  entity_sensor: {
    vendors: [],
    tables: [describeEntities()],
  },
};
