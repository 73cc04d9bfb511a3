import { parsePoints } from '../../receivers/kwollect/points.js';
import {
  parseSensor,
  SampleDecoder,
  sensorBytes,
  sensorCount,
} from '../../receivers/powersensor/protocol.js';
import { parseMeasurement } from '../../receivers/quarch/module.js';
import { parseAdc } from '../../receivers/rpi_pmic/pmic.js';
import { parseFirstGeneration, parseLaterGeneration, parseNames } from '../../receivers/shelly/readings.js';
import { parseEnergy, parseIdentity } from '../../receivers/tasmota/readings.js';
import { DigestAuth } from '../../src/http/digest-auth.js';
import { parseObject } from '../../src/recording/otlp-json.js';
import { texts, type Target } from './target.js';

const names = new Map<string, string>();

/** Answers of meters over the network. */
export const meterTargets: readonly Target[] = [
  {
    name: 'answers of Shelly devices',
    examples: [
      Buffer.from('{"meters":[{"power":18.5,"is_valid":true,"total":6000}],"uptime":5}'),
      Buffer.from('{"emeters":[{"power":51.08,"current":0.78,"voltage":234.9,"total":1686297.2}]}'),
      Buffer.from(
        '{"switch:0":{"name":"a","apower":1.5,"aenergy":{"total":9492.468},"temperature":{"tC":4}}}',
      ),
      Buffer.from('{"em:0":{"a_act_power":2.5,"total_act_power":null},"emdata:0":{"total_act":5.19}}'),
    ],
    mayThrow: [Error],
    parse(input) {
      const answer = parseObject(input.toString());
      parseNames(answer);
      return [parseFirstGeneration(answer, 'a', names), parseLaterGeneration(answer, 'a', names)];
    },
  },
  {
    name: 'answers of Tasmota devices',
    examples: [
      Buffer.from('{"StatusSNS":{"ENERGY":{"Total":3.705,"Power":[5,6],"Voltage":233,"Current":0.021}}}'),
      Buffer.from('{"StatusSNS":{"ENERGY":{"Total":[3.705,1],"Power":[5,6]}}}'),
    ],
    mayThrow: [Error],
    parse: (input) => parseEnergy(input.toString(), { id: 'a', name: 'b' }),
  },
  {
    name: 'what a Tasmota device is',
    examples: [Buffer.from('{"Status":{"DeviceName":"desk"},"StatusNET":{"Mac":"24:62"}}')],
    mayThrow: [Error],
    parse: (input) => parseIdentity(input.toString()),
  },
  {
    name: 'points of Kwollect',
    examples: [
      Buffer.from(
        '[{"timestamp":"2020-01-01T00:00:00.007812+01:00","device_id":"a","metric_id":"b_watt","value":1.5,"labels":{"_device_orig":["c"]}}]',
      ),
    ],
    mayThrow: [Error],
    parse: (input) => parsePoints(input.toString()),
  },
  {
    name: 'the stream of a PowerSensor3',
    examples: [Buffer.from('f4408f3f9f3fa000b000c000d000e000f000', 'hex')],
    parse(input) {
      const sensor = { name: '', reference: 1.65, sensitivity: 0.165, isUsed: true };
      const decoder = new SampleDecoder(Array.from({ length: sensorCount }, () => sensor));
      decoder.push(input, input.length);
      return decoder.joules;
    },
  },
  {
    name: 'a sensor of a PowerSensor3',
    examples: [Buffer.concat([Buffer.from('MLX10'.padEnd(16, '\0') + 'PCIe'), Buffer.alloc(21, 1)])],
    mayThrow: [Error],
    parse: (input) => parseSensor(Buffer.concat([input, Buffer.alloc(sensorBytes)])),
  },
  {
    name: 'challenges of HTTP servers',
    examples: [Buffer.from('Basic realm="a", Digest realm="b", nonce="c", qop="auth", algorithm=SHA-256')],
    parse: (input) =>
      DigestAuth.parse(input.toString())?.authorize(
        { name: 'a', password: 'b' },
        { method: 'GET', path: '/' },
      ),
  },
  {
    name: 'answers of Quarch modules',
    examples: texts('12125mV', '1600 mA', '5V = 4950 mV', 'FAIL: 0x42 -Invalid parameter'),
    mayThrow: [Error],
    parse: (input) => parseMeasurement(input.toString('latin1'), 'V', '5V'),
  },
  {
    name: 'channels of the PMIC of a Raspberry Pi',
    examples: texts(
      ' 3V7_WL_SW_A current(0)=0.10000000A\n 3V7_WL_SW_V volt(8)=3.70000000V\n',
      '      EXT5V_V volt(24)=5.15180000V\n       BATT_V volt(25)=0.00390720V\n',
    ),
    mayThrow: [Error],
    parse: (input) => parseAdc(input.toString('latin1')),
  },
];
