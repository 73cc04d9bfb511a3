import { convertReading } from '../../receivers/ipmi/conversion.js';
import { createCompactRecord, createFullRecord, unit } from '../../receivers/ipmi/fake-bmc.fixture.js';
import { parseSensorRecord } from '../../receivers/ipmi/sensor-record.js';
import {
  parseEnvironment,
  parseFan,
  parseOldPower,
  parseOldThermal,
  parseSensor,
  parseSupplyFans,
  parseSupplyMetrics,
} from '../../receivers/redfish/readings.js';
import { parseObject } from '../../src/recording/otlp-json.js';
import type { Target } from './target.js';

const place = { chassis: 'a/1' };

/** Answers of BMCs. */
export const bmcTargets: readonly Target[] = [
  {
    name: 'sensor data records of IPMI',
    examples: [
      createFullRecord({ number: 1, name: 'Pwr Consumption', unit: unit.watts, m: 14 }),
      createFullRecord({ number: 2, name: 'VRM', unit: unit.volts, linearization: 0x70 }),
      createCompactRecord({ number: 3, name: 'PS1 Status', sensorType: 8, eventType: 0x6f }),
    ].map((record) => Buffer.from(record)),
    parse(input) {
      const analog = parseSensorRecord(input)?.analog;
      return analog?.factors && convertReading(200, analog.format, analog.factors, analog.linearization);
    },
  },
  {
    name: 'resources of Redfish',
    examples: [
      Buffer.from('{"PowerWatts":{"Reading":374},"EnergykWh":{"Reading":325675.25},"EnergyJoules":null}'),
      Buffer.from('{"Id":"Fan1","ReadingType":"Rotational","Reading":4200,"Status":{"State":"Enabled"}}'),
      Buffer.from('{"Id":"Bay1","SpeedPercent":{"Reading":45,"SpeedRPM":2200,"DataSourceUri":"/a"}}'),
      Buffer.from('{"Id":"Bay1","FanSpeedsPercent":[{"DeviceName":"Fan #1","Reading":68,"SpeedRPM":3290}]}'),
      Buffer.from('{"PowerControl":[{"PowerConsumedWatts":344}],"PowerSupplies":[{"PowerInputWatts":110}]}'),
      Buffer.from(
        '{"Fans":[{"Reading":38,"ReadingUnits":"Percent"}],"Temperatures":[{"ReadingCelsius":22}]}',
      ),
    ],
    mayThrow: [Error],
    parse(input) {
      const resource = parseObject(input.toString());
      return [
        parseEnvironment(resource),
        parseSensor(resource, place),
        parseOldPower(resource, place, true),
        parseOldThermal(resource, place),
        parseSupplyMetrics(resource, resource, place),
        parseSupplyFans(resource, resource, place),
        parseFan(resource, place),
      ];
    },
  },
];
