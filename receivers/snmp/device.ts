import type { Snmp } from 'net-snmp';
import { parseEndpoint } from '../../src/config/endpoint.js';
import type { RemoteMeter } from '../../src/scraping/meter-receiver.js';
import type { Config, Endpoint } from './config.js';
import { discoverObjects, readObjects, type MeteredObject } from './objects.js';
import { SnmpSession } from './snmp-session.js';

/** Interval at which the objects of a device are searched again: outlets may be renamed or added. */
const discoverMs = 600_000;

/** A device with SNMP: its tables are walked first, then the objects found are read. */
export function openDevice(endpoint: Endpoint, config: Config, snmp: Snmp): RemoteMeter {
  const session = new SnmpSession(snmp, endpoint, config);
  const device = parseEndpoint(endpoint.endpoint).host;
  let objects: readonly MeteredObject[] | undefined;
  let discoveredMs = 0;
  const find = async (signal: AbortSignal) => {
    discoveredMs = performance.now();
    objects = await discoverObjects(session, endpoint.preset, config.objects, signal);
    return objects;
  };
  return {
    name: endpoint.endpoint,
    async ask(signal) {
      const isOld = performance.now() - discoveredMs > discoverMs;
      const known = isOld ? undefined : objects;
      const answer = await readObjects(session, known ?? (await find(signal)), device, signal);
      if (answer !== undefined) return answer;
      const again = await readObjects(session, await find(signal), device, signal);
      if (again === undefined)
        throw new Error('expected all objects that were found at the last walk, found fewer');
      return again;
    },
    close: () => session.close(),
  };
}
