import { serveReadings } from '../../src/scraping/serve-readings.js';
import { findDevicePath, listDevicePaths, openIoctlTransport } from './ioctl-transport.js';
import type { Reading, ThreadOptions } from './protocol.js';
import { Session } from './session.js';

// The thread that reads the BMC. The receiver starts it with these options.

serveReadings<Reading>((options) => {
  const both = options as ThreadOptions;
  return new Session(both, () => openDevice(both.device));
});

function openDevice(device: number) {
  const path = findDevicePath(device);
  if (path !== undefined) return openIoctlTransport(path);
  throw new Error(
    `Cannot open IPMI device ${device}: expected one of ${listDevicePaths(device).join(', ')}, found none`,
  );
}
