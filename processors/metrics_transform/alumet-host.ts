import {
  ATTR_NETWORK_INTERFACE_NAME,
  ATTR_NETWORK_IO_DIRECTION,
  ATTR_SYSTEM_DEVICE,
  ATTR_SYSTEM_MEMORY_STATE,
} from '../../src/model/semantic-conventions.js';
import { memoryLimit, networkIo } from '../../src/model/usage-metrics.js';
import { labelsOf, ofMachine, sinceLast } from './alumet-labels.js';
import type { PresetRule } from './preset-rule.js';

/** The memory of the machine, by the keys of /proc/meminfo. */
function machineMemory(from: string, name: string, key?: string, value?: string): PresetRule {
  return {
    from,
    name,
    description: 'Memory of the machine, as in /proc/meminfo',
    labels: ({ own }) => (key === undefined || own[key] === value ? ofMachine : undefined),
  };
}

const memoryKind = 'system.memory.linux.kind';

/** ALUMET's direction of a packet. */
const directions: Readonly<Record<string, string>> = { receive: 'rx', transmit: 'tx' };

function networkOf(from: string, name: string): PresetRule {
  return {
    from,
    name,
    description: `Traffic of a network interface ${sinceLast}`,
    isGrowth: true,
    labels: ({ own }) =>
      labelsOf(['local_machine', ''], {
        interface: own[ATTR_NETWORK_INTERFACE_NAME] ?? own[ATTR_SYSTEM_DEVICE],
        direction: directions[String(own[ATTR_NETWORK_IO_DIRECTION])],
      }),
  };
}

/** ALUMET's metrics of the kernel, the memory and the network, of the plugin procfs. */
export const alumetHost: readonly PresetRule[] = [
  {
    from: 'system.context_switches',
    name: 'kernel_context_switches',
    description: `Context switches ${sinceLast}`,
    isGrowth: true,
    labels: () => ofMachine,
  },
  {
    from: 'system.process.created',
    name: 'kernel_new_forks',
    description: `Processes and threads that were created ${sinceLast}`,
    isGrowth: true,
    labels: () => ofMachine,
  },
  ...['running', 'blocked'].map((state): PresetRule => ({
    from: 'system.linux.thread.count',
    name: `kernel_n_procs_${state}`,
    description: `Number of threads that are ${state}`,
    labels: ({ own }) => (own['system.linux.thread.state'] === state ? ofMachine : undefined),
  })),
  machineMemory(memoryLimit.name, 'mem_total'),
  machineMemory('system.memory.linux.available', 'mem_available'),
  machineMemory('system.memory.usage', 'mem_free', ATTR_SYSTEM_MEMORY_STATE, 'free'),
  machineMemory('system.memory.usage', 'cached', ATTR_SYSTEM_MEMORY_STATE, 'cached'),
  machineMemory('system.memory.linux.kind.usage', 'active', memoryKind, 'active'),
  machineMemory('system.memory.linux.kind.usage', 'inactive', memoryKind, 'inactive'),
  machineMemory('system.memory.linux.kind.usage', 'mapped', memoryKind, 'mapped'),
  machineMemory('system.memory.linux.kind.usage', 'swap_cached', memoryKind, 'swap_cached'),
  networkOf(networkIo.name, 'network_bytes'),
  networkOf('system.network.packet.count', 'network_packets'),
  networkOf('system.network.packet.dropped', 'network_packet_drops'),
  networkOf('system.network.errors', 'network_errors'),
];
