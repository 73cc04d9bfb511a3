import { describeError } from '../../src/errors.js';
import { realHierarchies } from '../../src/linux/cgroup/real-cgroups.fixture.js';
import { UnifiedUsage } from './unified-usage.js';

/** Opens the pass over the cgroups of this machine. @returns a text if eBPF cannot be used here: the reason */
export async function openUsage(): Promise<UnifiedUsage | string> {
  const unified = realHierarchies.find(({ version }) => version === 2);
  if (unified === undefined) return 'no hierarchy of version 2 is mounted';
  try {
    return await UnifiedUsage.open(unified);
  } catch (error) {
    return describeError(error);
  }
}
