import { totalmem } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ProcessorFactory } from '../../src/component/component.js';
import { readMemoryUse } from '../../src/linux/memory-use.js';
import { schema, type Config } from './config.js';
import { MemoryLimiter } from './memory-limiter.js';

const mebibyte = 2 ** 20;

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  replacedSettings: {
    min_gc_interval_when_soft_limited: 'remove it: garbage collection is forced above the limit only',
    max_gc_interval_when_soft_limited: 'remove it: garbage collection is forced above the limit only',
    max_gc_interval_when_hard_limited: 'use "min_gc_interval_when_hard_limited", which is constant',
  },
  check({
    limit_mib: limit,
    spike_limit_mib: spike,
    limit_percentage: percentage,
    spike_limit_percentage: part,
  }) {
    const problems: string[] = [];
    if (limit > 0 && spike >= limit)
      problems.push('spike_limit_mib: expected less than limit_mib, found more');
    if (percentage > 0 && part >= percentage) {
      problems.push('spike_limit_percentage: expected less than limit_percentage, found more');
    }
    return problems;
  },
  create: (config, context, next) =>
    new MemoryLimiter(findLimits(config, findTotalMemory()), {
      ...context,
      next,
      checkMs: config.check_interval,
      collectMs: config.min_gc_interval_when_hard_limited,
      readBytes: () => readMemoryUse('self').residentBytes,
      collect: collectGarbage,
    }),
};

/** Limits in bytes. By default, half of the available memory. */
export function findLimits(
  config: Config,
  totalBytes: number,
): { readonly soft: number; readonly hard: number } {
  const { limit_mib: limit, limit_percentage: percentage } = config;
  const hard = limit > 0 ? limit * mebibyte : ((percentage || 50) / 100) * totalBytes;
  const ownSpike =
    limit > 0 ? config.spike_limit_mib * mebibyte : (config.spike_limit_percentage / 100) * totalBytes;
  return { soft: hard - (ownSpike || hard / 5), hard };
}

/** Of the cgroup, if it has a limit, or of the machine. */
function findTotalMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** Node has no function for it unless it was started with a flag. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // What the flag adds.
  setFlagsFromString('--no-expose-gc');
  collect();
}
