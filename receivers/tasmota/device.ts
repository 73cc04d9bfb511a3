import type { HttpDevice, HttpMeterKind } from '../../src/http/http-meters.js';
import { parseEnergy, parseIdentity, type DeviceIdentity } from './readings.js';

/** Devices, asked by the commands that their console has. */
export const tasmota: HttpMeterKind<DeviceIdentity> = {
  type: 'tasmota',
  endpoint: 'http://192.168.4.1',
  maxBytes: 64 * 1024,
  identify: async (device) => parseIdentity(await ask(device, 'Status 0')),
  async read(device, identity) {
    const readings =
      parseEnergy(await ask(device, 'Status 10'), identity) ??
      parseEnergy(await ask(device, 'Status 8'), identity);
    if (readings === undefined)
      throw new Error('expected StatusSNS in the answer to "Status 10", found none');
    return { readings };
  },
};

/** Devices take user and password in the query. */
function ask(device: HttpDevice, command: string): Promise<string> {
  const user = device.user();
  const secret = user === undefined ? {} : { user: user.name, password: user.password };
  const query = new URLSearchParams({ ...secret, cmnd: command });
  // The device takes a plus sign for itself.
  return device.get(`/cm?${query.toString().replaceAll('+', '%20')}`);
}
