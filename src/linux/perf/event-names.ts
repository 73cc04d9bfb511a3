import { perfType } from './event.js';

/** The kernel's code of an event: `type` and `config` of `struct perf_event_attr`. */
export interface EventCode {
  readonly type: number;
  readonly config: bigint;
}

// Numbers: enum perf_hw_id, perf_sw_ids and perf_hw_cache_* in include/uapi/linux/perf_event.h. Names: those of
// perf-list(1), each with its aliases, and those of the enums, as in ALUMET.
const hardware: readonly (readonly string[])[] = [
  ['cycles', 'cpu-cycles'],
  ['instructions'],
  ['cache-references'],
  ['cache-misses'],
  ['branches', 'branch-instructions'],
  ['branch-misses'],
  ['bus-cycles'],
  ['stalled-cycles-frontend', 'idle-cycles-frontend'],
  ['stalled-cycles-backend', 'idle-cycles-backend'],
  ['ref-cycles', 'ref-cpu-cycles'],
];

const software: readonly (readonly string[])[] = [
  ['cpu-clock'],
  ['task-clock'],
  ['page-faults', 'faults'],
  ['context-switches', 'cs'],
  ['cpu-migrations', 'migrations'],
  ['minor-faults', 'page-faults-min'],
  ['major-faults', 'page-faults-maj'],
  ['alignment-faults'],
  ['emulation-faults'],
  ['dummy'],
  ['bpf-output'],
  ['cgroup-switches'],
];

const caches: readonly (readonly string[])[] = [
  ['l1-dcache', 'l1-d', 'l1d', 'l1-data'],
  ['l1-icache', 'l1-i', 'l1i', 'l1-instruction'],
  ['llc', 'l2', 'll'],
  ['dtlb', 'd-tlb', 'data-tlb'],
  ['itlb', 'i-tlb', 'instruction-tlb'],
  ['branch', 'branches', 'bpu', 'btb', 'bpc'],
  ['node'],
];

const operations: readonly (readonly string[])[] = [
  ['load', 'loads', 'read'],
  ['store', 'stores', 'write'],
  ['prefetch', 'prefetches', 'speculative-read', 'speculative-load'],
];

const results: readonly (readonly string[])[] = [
  ['refs', 'reference', 'ops', 'access'],
  ['misses', 'miss'],
];

const codes = createCodes();

/**
 * Finds an event with a fixed code in every kernel, by perf's name (`cycles`, `L1-dcache-load-misses`) or that
 * of the kernel's enum (`CPU_CYCLES`, `L1D_READ_MISS`), whatever its case.
 */
export function findEventCode(name: string): EventCode | undefined {
  return codes.get(name.toLowerCase().replaceAll('_', '-'));
}

/** Every name, in lower case, with dashes. */
export function listEventNames(): readonly string[] {
  return [...codes.keys()];
}

function createCodes(): ReadonlyMap<string, EventCode> {
  const found = new Map<string, EventCode>();
  addCaches(found);
  // Added after the caches, where `branches` would be a load of the branch predictor.
  addNames(found, hardware, perfType.hardware);
  addNames(found, software, perfType.software);
  return found;
}

function addNames(into: Map<string, EventCode>, names: readonly (readonly string[])[], type: number): void {
  names.forEach((aliases, config) => {
    for (const alias of aliases) into.set(alias, { type, config: BigInt(config) });
  });
}

/** `cache`, `cache-operation`, `cache-result`, in any order of the last two: the defaults are load and access. */
function addCaches(into: Map<string, EventCode>): void {
  forEachName(caches, (cache, cacheName) => {
    addCache(into, cacheName, cache);
    forEachName(results, (result, resultName) => {
      addCache(into, `${cacheName}-${resultName}`, cache | (result << 16));
    });
    forEachName(operations, (operation, operationName) => {
      const config = cache | (operation << 8);
      addCache(into, `${cacheName}-${operationName}`, config);
      forEachName(results, (result, resultName) => {
        addCache(into, `${cacheName}-${operationName}-${resultName}`, config | (result << 16));
        addCache(into, `${cacheName}-${resultName}-${operationName}`, config | (result << 16));
      });
    });
  });
}

function addCache(into: Map<string, EventCode>, name: string, config: number): void {
  into.set(name, { type: perfType.cache, config: BigInt(config) });
}

function forEachName(
  names: readonly (readonly string[])[],
  visit: (number: number, name: string) => void,
): void {
  names.forEach((aliases, number) => {
    for (const alias of aliases) visit(number, alias);
  });
}
