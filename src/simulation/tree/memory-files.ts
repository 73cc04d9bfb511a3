/** The memory of the machine, and the system's own use of it. */
const totalKib = 64 * 2 ** 20;
const systemKib = 3 * 2 ** 20;
const pageKib = 4;
/** The largest block of the buddy allocator: 2^10 pages. */
const mostOrder = 10;

/** Used memory in KiB when processes have this many MiB. */
export function sumUsedKib(residentMib: number): number {
  return Math.min(totalKib - systemKib, residentMib * 1024) + systemKib;
}

/** The memory of one NUMA node: an equal share per socket. */
interface NodeMemory {
  readonly node: number;
  readonly totalKib: number;
  readonly freeKib: number;
}

function shareOut(usedKib: number, nodes: number): readonly NodeMemory[] {
  const shareOf = (kib: number, node: number): number => {
    const pages = kib / pageKib;
    return pageKib * (Math.floor(((node + 1) * pages) / nodes) - Math.floor((node * pages) / nodes));
  };
  return Array.from({ length: nodes }, (_, node) => ({
    node,
    totalKib: shareOf(totalKib, node),
    freeKib: shareOf(countFreeKib(usedKib), node),
  }));
}

/** Unused memory, without the page cache. */
function countFreeKib(usedKib: number): number {
  return totalKib - usedKib - 2 ** 20;
}

/** `/proc/zoneinfo`: one zone per node. */
export function describeZones(usedKib: number, nodes: number): string {
  return shareOut(usedKib, nodes).map(describeZone).join('');
}

function describeZone({ node, ...memory }: NodeMemory): string {
  const [total, free] = [memory.totalKib / pageKib, memory.freeKib / pageKib];
  return [
    `Node ${node}, zone   Normal`,
    `  pages free     ${free}`,
    '        boost    0',
    '        min      16384',
    '        low      20480',
    '        high     24576',
    `        spanned  ${total}`,
    `        present  ${total}`,
    `        managed  ${total}`,
    '        protection: (0, 0, 0, 0)',
    `      nr_free_pages ${free}`,
    `  start_pfn:           ${node * total}`,
    '',
  ].join('\n');
}

/** `/proc/buddyinfo`: the free pages in blocks of maximum size. */
export function describeBuddies(usedKib: number, nodes: number): string {
  return shareOut(usedKib, nodes)
    .map(({ node, freeKib }) => {
      const pages = freeKib / pageKib;
      const counts = Array.from({ length: mostOrder + 1 }, (_, order) =>
        order === mostOrder ? Math.floor(pages / 2 ** order) : Math.floor(pages / 2 ** order) % 2,
      );
      return `Node ${node}, zone   Normal ${counts.map((count) => String(count).padStart(6)).join(' ')} \n`;
    })
    .join('');
}

/** `meminfo` of each NUMA node in sysfs. */
export function describeNodes(usedKib: number, nodes: number): readonly string[] {
  return shareOut(usedKib, nodes).map(({ node, ...memory }) => {
    const lines = {
      MemTotal: memory.totalKib,
      MemFree: memory.freeKib,
      MemUsed: memory.totalKib - memory.freeKib,
    };
    return Object.entries(lines)
      .map(([name, kib]) => `Node ${node} ${`${name}:`.padEnd(15)} ${String(kib).padStart(8)} kB\n`)
      .join('');
  });
}

/** `/proc/meminfo`. */
export function describeMemory(usedKib: number): string {
  const free = totalKib - usedKib;
  const cached = 2 ** 20 - 2 ** 18;
  const anonymous = usedKib - systemKib;
  const lines = {
    MemTotal: totalKib,
    MemFree: free - 2 ** 20,
    MemAvailable: free,
    Buffers: 2 ** 18,
    Cached: cached,
    SwapCached: 0,
    Active: anonymous + cached / 2,
    Inactive: cached / 2 + 2 ** 18,
    'Active(anon)': anonymous,
    'Inactive(anon)': 2 ** 16,
    'Active(file)': cached / 2,
    'Inactive(file)': cached / 2 + 2 ** 18 - 2 ** 16,
    Unevictable: 0,
    Mlocked: 0,
    SwapTotal: 0,
    SwapFree: 0,
    Dirty: 0,
    Writeback: 0,
    AnonPages: anonymous,
    Mapped: 2 ** 17,
    Shmem: 2 ** 16,
    KReclaimable: 2 ** 18,
    Slab: 3 * 2 ** 17,
    SReclaimable: 2 ** 18,
    SUnreclaim: 2 ** 17,
    KernelStack: 2 ** 14,
    PageTables: 2 ** 15,
    NFS_Unstable: 0,
    Bounce: 0,
    WritebackTmp: 0,
    CommitLimit: totalKib / 2,
    Committed_AS: 2 * anonymous,
    VmallocTotal: 34_359_738_367,
    VmallocUsed: 2 ** 14,
    VmallocChunk: 0,
  };
  return Object.entries(lines)
    .map(([name, kib]) => `${`${name}:`.padEnd(15)} ${String(kib).padStart(8)} kB\n`)
    .join('');
}
