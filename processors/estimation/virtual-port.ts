import { existsSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';

/** Buses of virtual devices. */
const virtualBuses: ReadonlySet<string> = new Set(['virtio', 'xen', 'vmbus', 'virtual']);

/**
 * Whether sysfs shows a network interface without hardware: a bridge, one end of a veth pair, a tunnel, or the
 * port of a virtual machine. An interface that is not in sysfs belongs to another machine or network namespace.
 */
export function isVirtualPort(sysfs: string, name: string): boolean {
  const path = `${sysfs}/class/net/${basename(name)}`;
  if (!existsSync(path)) return false;
  try {
    return virtualBuses.has(basename(realpathSync(`${path}/device/subsystem`)));
  } catch {
    // It has no device.
    return true;
  }
}
