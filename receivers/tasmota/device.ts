import type { Log } from '../../src/component/log.js';
import { describeError } from '../../src/errors.js';
import { ChallengedClient } from '../../src/http/challenged-client.js';
import { StatusError } from '../../src/http/get.js';
import type { RemoteMeter } from '../../src/scraping/meter-receiver.js';
import type { Config, Endpoint } from './config.js';
import { parseEnergy, parseIdentity, passwordRemedy, type DeviceIdentity } from './readings.js';

const maxBytes = 64 * 1024;

/** A device, asked by the commands that its console has, which it takes with user and password in the query. */
export function openDevice({ endpoint }: Endpoint, config: Config, log: Log): RemoteMeter {
  const client = new ChallengedClient(new URL(endpoint), config, log);
  let identity: DeviceIdentity | undefined;
  const ask = (command: string, signal: AbortSignal) => {
    const user = client.user();
    const secret = user === undefined ? {} : { user: user.name, password: user.password };
    const query = new URLSearchParams({ ...secret, cmnd: command });
    // The device takes a plus sign for itself.
    return client.getText(`/cm?${query.toString().replaceAll('+', '%20')}`, { signal, maxBytes });
  };
  return {
    name: client.target,
    async ask(signal) {
      try {
        identity ??= parseIdentity(await ask('Status 0', signal));
        const readings =
          parseEnergy(await ask('Status 10', signal), identity) ??
          parseEnergy(await ask('Status 8', signal), identity);
        if (readings === undefined)
          throw new Error('expected StatusSNS in the answer to "Status 10", found none');
        return { readings };
      } catch (error) {
        // Another device may have this address by now.
        identity = undefined;
        throw describeRefusal(error);
      }
    },
    close: () => client.close(),
  };
}

function describeRefusal(error: unknown): unknown {
  if (!(error instanceof StatusError) || error.status !== 401) return error;
  return new Error(`${describeError(error)}; ${passwordRemedy}`, { cause: error });
}
