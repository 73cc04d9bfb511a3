import type { ReceiverFactory } from '../component/component.js';
import type { Log } from '../component/log.js';
import type { Schema } from '../component/schema.js';
import {
  checkMeters,
  createMeterReceiver,
  listMeters,
  meterIntervalSetting,
  probeMeters,
  type MeterAnswer,
  type RemoteMeter,
} from '../scraping/meter-receiver.js';
import { meterMetrics } from '../scraping/meter-table.js';
import { addLoginRemedy, ChallengedClient } from './challenged-client.js';
import { checkClientConfig, clientSettings, type ClientConfig } from './client.js';
import type { User } from './digest-auth.js';

/** A device being read. */
export interface HttpDevice {
  /** @param path with its query @throws StatusError, or the error of the connection */
  get(path: string): Promise<string>;
  /** The configured user, for devices that want it in the query. */
  user(): User | undefined;
}

/** A kind of device, and how it is read. */
export interface HttpMeterKind<Identity> {
  /** The type of the receiver, and `energy.interface`. */
  readonly type: string;
  /** The factory-default address of a device. */
  readonly endpoint: string;
  /** Of one answer. */
  readonly maxBytes: number;
  /** Identifies the device, at first and after a failure. @throws Error if it is of another kind */
  identify(device: HttpDevice): Promise<Identity>;
  /** Reads all its measurements. */
  read(device: HttpDevice, identity: Identity): Promise<MeterAnswer>;
}

/** The remedy if a device has refused the user. */
export const loginRemedy =
  'set credentials.username (admin) and credentials.password_file to those of the device';

/** A receiver for devices that answer GET requests. */
export function createHttpMeterFactory<Identity>(
  kind: HttpMeterKind<Identity>,
): ReceiverFactory<ReturnType<typeof createSchema>> {
  const { type, endpoint } = kind;
  return {
    schema: createSchema(endpoint),
    metrics: meterMetrics,
    check: (config) => [...checkMeters(config.endpoints), ...checkClientConfig(config)],
    probe: (config, { log }) =>
      probeMeters(
        config.endpoints,
        (item) => openDevice(kind, new URL(item.endpoint), config, log),
        `see receivers.${type}.endpoints`,
      ),
    create: (config, context, next) =>
      createMeterReceiver({
        intervalMs: config.collection_interval,
        context,
        next,
        items: config.endpoints,
        interface: type,
        open: (item) => openDevice(kind, new URL(item.endpoint), config, context.log),
      }),
  };
}

function createSchema(endpoint: string) {
  return {
    collection_interval: meterIntervalSetting,
    endpoints: listMeters({
      endpoint: {
        doc: 'Address of a device, `http://` or `https://`.',
        format: 'url',
        default: endpoint,
      },
    } as const),
    ...clientSettings,
  } as const satisfies Schema;
}

function openDevice<Identity>(
  { maxBytes, identify, read }: HttpMeterKind<Identity>,
  url: URL,
  config: ClientConfig,
  log: Log,
): RemoteMeter {
  const client = new ChallengedClient(url, config, log);
  let identity: Identity | undefined;
  return {
    name: client.target,
    async ask(signal) {
      const device: HttpDevice = {
        get: (path) => client.getText(path, { signal, maxBytes }),
        user: () => client.user(),
      };
      try {
        identity ??= await identify(device);
        return await read(device, identity);
      } catch (error) {
        // Another device may have this address by now.
        identity = undefined;
        throw addLoginRemedy(error, loginRemedy);
      }
    },
    close: () => client.close(),
  };
}
