import { existsSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';

/** Buses whose devices are those of a hypervisor. */
const virtualBuses: ReadonlySet<string> = new Set(['virtio', 'xen', 'vmbus', 'virtual']);

/**
 * Whether sysfs shows a network interface that has no hardware of its own: a bridge, one end of a veth pair, a tunnel, or
 * the port of a virtual machine. One that sysfs has not is of another machine, or of another network namespace.
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
