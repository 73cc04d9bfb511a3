import type { Program } from '../program.js';

// Where position-dependent programs lie.
const firstAddress = 0x40_0000;
const inode = 393_227;

/** What a mapping says of itself in KiB, of which this many are resident: all of it private and dirty. */
function describeSizes(kib: number): string {
  const sizes = {
    Rss: kib,
    Pss: kib,
    Pss_Dirty: kib,
    Shared_Clean: 0,
    Shared_Dirty: 0,
    Private_Clean: 0,
    Private_Dirty: kib,
    Referenced: kib,
    Anonymous: kib,
    KSM: 0,
    LazyFree: 0,
    AnonHugePages: 0,
    ShmemPmdMapped: 0,
    FilePmdMapped: 0,
    Shared_Hugetlb: 0,
    Private_Hugetlb: 0,
    Swap: 0,
    SwapPss: 0,
    Locked: 0,
  };
  return Object.entries(sizes)
    .map(([name, size]) => describeSize(name, size))
    .join('');
}

function describeSize(name: string, kib: number): string {
  return `${`${name}:`.padEnd(15)} ${String(kib).padStart(8)} kB\n`;
}

/** The files about the address space of a process: one mapping, twice as large as what is resident. */
export function describeMappings({ path, residentMib, isKernelThread }: Program): Record<string, string> {
  if (isKernelThread === true) return { maps: '', smaps: '' };
  const kib = residentMib * 1024;
  const to = firstAddress + 2 * kib * 1024;
  const [from, end] = [firstAddress, to].map((address) => address.toString(16).padStart(8, '0'));
  const mapping = `${`${from}-${end} rw-p 00000000 08:01 ${inode}`.padEnd(72)} ${path}\n`;
  const pages = `${describeSize('KernelPageSize', 4)}${describeSize('MMUPageSize', 4)}`;
  const flags = 'THPeligible:           0\nVmFlags: rd wr mr mw me ac\n';
  return {
    maps: mapping,
    smaps: `${mapping}${describeSize('Size', 2 * kib)}${pages}${describeSizes(kib)}${flags}`,
    smaps_rollup: `${`${from}-${end} ---p 00000000 00:00 0`.padEnd(72)} [rollup]\n${describeSizes(kib)}`,
  };
}
