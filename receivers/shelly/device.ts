import type { HttpMeterKind } from '../../src/http/http-meters.js';
import { finiteNumberOf, parseObject, type JsonObject } from '../../src/recording/otlp-json.js';
import type { MeterAnswer } from '../../src/scraping/meter-receiver.js';
import {
  parseFirstGeneration,
  parseFirstNames,
  parseLaterGeneration,
  parseNames,
  type ComponentNames,
} from './readings.js';

/** How the devices of a generation are read. */
interface Generation {
  readonly statusPath: string;
  readonly settingsPath: string;
  parseNames(settings: JsonObject): ComponentNames;
  parse(status: JsonObject, device: string, names: ComponentNames): MeterAnswer;
}

const first: Generation = {
  statusPath: '/status',
  settingsPath: '/settings',
  parseNames: parseFirstNames,
  parse: parseFirstGeneration,
};

const later: Generation = {
  statusPath: '/rpc/Shelly.GetStatus',
  settingsPath: '/rpc/Shelly.GetConfig',
  parseNames,
  parse: parseLaterGeneration,
};

/** The identity of a device, which is constant while it answers. */
interface Identity {
  readonly id: string;
  readonly generation: Generation;
  readonly names: ComponentNames;
}

/** Shelly devices, whose generation is detected with `/shelly`, which all of them answer without a password. */
export const shelly: HttpMeterKind<Identity> = {
  type: 'shelly',
  endpoint: 'http://192.168.33.1',
  // Devices with many components answer with about 20 kB.
  maxBytes: 256 * 1024,
  async identify(device) {
    const found = identifyDevice(parseObject(await device.get('/shelly')));
    const settings = parseObject(await device.get(found.generation.settingsPath));
    return { ...found, names: found.generation.parseNames(settings) };
  },
  async read(device, { generation, id, names }) {
    return generation.parse(parseObject(await device.get(generation.statusPath)), id, names);
  },
};

/** @throws Error if it is not such a device */
function identifyDevice(answer: JsonObject): Omit<Identity, 'names'> {
  const { id, mac, type } = answer;
  if (typeof mac !== 'string') throw new Error('expected a Shelly device, found another answer to /shelly');
  if ((finiteNumberOf(answer['gen']) ?? 1) > 1) {
    return { id: typeof id === 'string' ? id : mac.toLowerCase(), generation: later };
  }
  const name = typeof type === 'string' ? `${type.toLowerCase()}-` : '';
  return { id: `${name}${mac.toLowerCase()}`, generation: first };
}
