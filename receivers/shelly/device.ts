import type { Log } from '../../src/component/log.js';
import { describeError } from '../../src/errors.js';
import { ChallengedClient } from '../../src/http/challenged-client.js';
import { StatusError } from '../../src/http/get.js';
import { finiteNumberOf, parseObject, type JsonObject } from '../../src/recording/otlp-json.js';
import type { RemoteMeter } from '../../src/scraping/meter-receiver.js';
import type { Config, Endpoint } from './config.js';
import {
  parseFirstGeneration,
  parseFirstNames,
  parseLaterGeneration,
  parseNames,
  type ComponentNames,
  type DeviceStatus,
} from './readings.js';

/** Devices with many components answer with about 20 kB. */
const maxBytes = 256 * 1024;

/** How the devices of a generation are asked. */
interface Generation {
  readonly statusPath: string;
  readonly settingsPath: string;
  parseNames(settings: JsonObject): ComponentNames;
  parse(status: JsonObject, device: string, names: ComponentNames): DeviceStatus;
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

/** What a device is: it does not change while it answers. */
interface Identity {
  readonly id: string;
  readonly generation: Generation;
  readonly names: ComponentNames;
}

/** A device, whose generation is found out by `/shelly`, which every one answers without a password. */
export function openDevice({ endpoint }: Endpoint, config: Config, log: Log): RemoteMeter {
  const client = new ChallengedClient(new URL(endpoint), config, log);
  let identity: Identity | undefined;
  const ask = async (path: string, signal: AbortSignal) =>
    parseObject(await client.getText(path, { signal, maxBytes }));
  const identify = async (signal: AbortSignal): Promise<Identity> => {
    const found = identifyDevice(await ask('/shelly', signal));
    const settings = await ask(found.generation.settingsPath, signal);
    return { ...found, names: found.generation.parseNames(settings) };
  };
  return {
    name: client.target,
    async ask(signal) {
      try {
        identity ??= await identify(signal);
        const { generation, id, names } = identity;
        return generation.parse(await ask(generation.statusPath, signal), id, names);
      } catch (error) {
        // Another device may have this address by now.
        identity = undefined;
        throw describeRefusal(error);
      }
    },
    close: () => client.close(),
  };
}

/** @throws Error where it is no such device */
function identifyDevice(answer: JsonObject): Omit<Identity, 'names'> {
  const { id, mac, type } = answer;
  if (typeof mac !== 'string') throw new Error('expected a Shelly device, found another answer to /shelly');
  if ((finiteNumberOf(answer['gen']) ?? 1) > 1) {
    return { id: typeof id === 'string' ? id : mac.toLowerCase(), generation: later };
  }
  const name = typeof type === 'string' ? `${type.toLowerCase()}-` : '';
  return { id: `${name}${mac.toLowerCase()}`, generation: first };
}

function describeRefusal(error: unknown): unknown {
  if (!(error instanceof StatusError) || error.status !== 401) return error;
  const remedy = 'set credentials.username (admin) and credentials.password_file to those of the device';
  return new Error(`${describeError(error)}; ${remedy}`, { cause: error });
}
