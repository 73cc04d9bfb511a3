import type { ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import { localMemoryTraffic, memoryTraffic, memoryTrafficMember } from '../../src/model/usage-metrics.js';
import {
  createSourceReceiver,
  probeSources,
  type NamedSource,
} from '../../src/scraping/scraping-receiver.js';
import { schema, type Config } from './config.js';
import { Groups } from './groups.js';
import { describeMembers } from './members.js';
import { describeOccupancy, occupancy } from './occupancy.js';
import { describeTraffic } from './traffic.js';

/** Who cannot count memory traffic, by architecture. */
const limits: Readonly<Record<string, string>> = {
  x64: 'a processor or virtual machine without "cqm_mbm_total" in /proc/cpuinfo cannot count it',
  arm64:
    'this needs a processor with MPAM whose memory traffic can be counted, and a kernel that offers MPAM in resctrl (CONFIG_ARM64_MPAM)',
};

/** What makes memory traffic readable, or why it cannot be. */
export function describeRemedy({ resctrl }: Pick<Config, 'resctrl'>, arch: string = process.arch): string {
  const limit = limits[arch] ?? `the kernel has no resctrl on ${arch}`;
  return `mount -t resctrl resctrl ${resctrl}; ${limit}`;
}

/** The sources of resctrl. @param hasMembers whether the processes of each group are published, too */
export function listSources(config: Config, hasMembers: boolean): readonly NamedSource[] {
  const remedy = describeRemedy(config);
  const groups = new Groups(config);
  // The processes come first: the ledger needs them for counts of the same instant.
  return [
    ...(hasMembers
      ? [{ name: 'processes of groups', remedy, describe: describeMembers(groups, config) }]
      : []),
    { name: 'memory traffic', remedy, describe: describeTraffic(groups) },
    ...(config.occupancy ? [{ name: 'cache occupancy', describe: describeOccupancy(groups) }] : []),
  ];
}

/** Reads how many bytes the groups of resctrl move from and to memory. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [memoryTraffic, localMemoryTraffic, occupancy, memoryTrafficMember],
  probe: (config, context) => probeSources(listSources(config, false), context),
  create: (config, context: ReceiverContext, next) =>
    createSourceReceiver({
      intervalMs: config.collection_interval,
      sources: listSources(config, context.isConsumed?.(memoryTrafficMember) === true),
      context,
      next,
      // Like cgroups, it precedes the usage of processes, whose scan closes the ledger's window.
      phase: 'completion',
    }),
};
