import type { Device } from './protocol.js';

/** For tests: a GPU about which little is known. */
export function createDevice(own: Partial<Device> & Pick<Device, 'id' | 'columns'>): Device {
  return {
    vendor: 'Test',
    domain: `gpu/${own.id}`,
    interfaces: { energy: 'a', power: 'b' },
    tasks: [],
    hasTaskUtilization: false,
    name: 'One',
    parent: undefined,
    serialNumber: undefined,
    firmwareVersion: undefined,
    driverVersion: '1',
    maxWatts: NaN,
    temperatureLimits: [],
    profileColumns: [],
    ...own,
  };
}
