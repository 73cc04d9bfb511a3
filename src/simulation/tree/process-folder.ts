import { linkSync, mkdirSync } from 'node:fs';
import { parentOf, type Program, type SimulatedProcess } from '../simulated-process.js';
import { writeFiles, writeLinks } from './tree-file.js';

const limits = [
  'Limit                     Soft Limit           Hard Limit           Units     ',
  'Max cpu time              unlimited            unlimited            seconds   ',
  'Max file size             unlimited            unlimited            bytes     ',
  'Max data size             unlimited            unlimited            bytes     ',
  'Max stack size            8388608              unlimited            bytes     ',
  'Max core file size        0                    unlimited            bytes     ',
  'Max resident set          unlimited            unlimited            bytes     ',
  'Max processes             255500               255500               processes ',
  'Max open files            1024                 1048576              files     ',
  'Max locked memory         8388608              8388608              bytes     ',
  'Max address space         unlimited            unlimited            bytes     ',
  'Max file locks            unlimited            unlimited            locks     ',
  'Max pending signals       255500               255500               signals   ',
  'Max msgqueue size         819200               819200               bytes     ',
  'Max nice priority         0                    0                    ',
  'Max realtime priority     0                    0                    ',
  'Max realtime timeout      unlimited            unlimited            us        ',
  '',
].join('\n');

/** The same for all processes: written once, and linked into the folder of each. */
const sharedFiles = {
  limits,
  environ: '',
  wchan: '0',
  oom_score: '0\n',
  oom_score_adj: '0\n',
  loginuid: '4294967295',
  mounts: '/dev/sda1 / ext4 rw,relatime 0 0\nproc /proc proc rw,relatime 0 0\n',
  mountinfo: '27 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n22 27 0:21 / /proc rw,relatime - proc proc rw\n',
};

const namespaces = {
  cgroup: 'cgroup:[4026531835]',
  ipc: 'ipc:[4026531839]',
  mnt: 'mnt:[4026531832]',
  net: 'net:[4026531833]',
  pid: 'pid:[4026531836]',
  user: 'user:[4026531837]',
  uts: 'uts:[4026531838]',
};

/** Writes what all processes share. */
export function writeShared(folder: string): void {
  writeFiles(folder, sharedFiles);
}

/** Writes the files of a process that do not change. @param shared the folder of what all processes share */
export function writeProcessFolder(folder: string, process: SimulatedProcess, shared: string): void {
  const { pid, program } = process.identity;
  const pages = (program.residentMib * 1024) / 4;
  writeFiles(folder, {
    comm: `${program.name}\n`,
    cmdline: program.path === '' ? '' : `${program.path}\0--simulated\0`,
    cgroup: `0::${program.cgroup}\n`,
    statm: `${2 * pages} ${pages} 0 1 0 0 0\n`,
    status: describeStatus(process),
    ...describeMappings(program),
    [`task/${pid}/children`]: '',
  });
  for (const name of Object.keys(sharedFiles)) linkSync(`${shared}/${name}`, `${folder}/${name}`);
  for (const name of ['fd', 'fdinfo', 'ns']) mkdirSync(`${folder}/${name}`);
  writeLinks(`${folder}/ns`, namespaces);
  writeLinks(folder, {
    ...(program.path !== '' && {
      exe: program.path,
      'fd/0': '/dev/null',
      'fd/1': '/dev/null',
      'fd/2': '/dev/null',
    }),
    cwd: '/',
    root: '/',
    net: '../net',
  });
}

const threadFiles = ['comm', 'cgroup', 'statm', 'status', 'stat', 'schedstat', 'io', 'limits'];

/** Shows the process' files in its main thread, too, which does all its work. */
export function linkMainThread(folder: string, pid: number): void {
  for (const name of threadFiles) linkSync(`${folder}/${name}`, `${folder}/task/${pid}/${name}`);
}

function size(name: string, kib: number): string {
  return `${name}:\t${String(kib).padStart(8)} kB`;
}

/** A kernel thread has none. */
function describeMemory(kib: number): readonly string[] {
  return [
    size('VmPeak', 2 * kib),
    size('VmSize', 2 * kib),
    size('VmLck', 0),
    size('VmPin', 0),
    size('VmHWM', kib),
    size('VmRSS', kib),
    size('RssAnon', kib),
    size('RssFile', 0),
    size('RssShmem', 0),
    size('VmData', kib),
    size('VmStk', 132),
    size('VmExe', 4),
    size('VmLib', 0),
    size('VmPTE', 44),
    size('VmSwap', 0),
    size('HugetlbPages', 0),
    'CoreDumping:\t0',
    'THP_enabled:\t1',
  ];
}

/** proc_pid_status(5). */
function describeStatus(process: SimulatedProcess): string {
  const { pid, program } = process.identity;
  return [
    `Name:\t${program.name}`,
    'Umask:\t0022',
    'State:\tS (sleeping)',
    `Tgid:\t${pid}`,
    'Ngid:\t0',
    `Pid:\t${pid}`,
    `PPid:\t${parentOf(process)}`,
    'TracerPid:\t0',
    'Uid:\t0\t0\t0\t0',
    'Gid:\t0\t0\t0\t0',
    'FDSize:\t64',
    'Groups:\t ',
    `NStgid:\t${pid}`,
    `NSpid:\t${pid}`,
    `NSpgid:\t${pid}`,
    `NSsid:\t${pid}`,
    ...(program.isKernelThread === true ? [] : describeMemory(program.residentMib * 1024)),
    `Threads:\t${program.threads}`,
    'SigQ:\t0/255500',
    ...['SigPnd', 'ShdPnd', 'SigBlk', 'SigIgn', 'SigCgt', 'CapInh'].map(
      (name) => `${name}:\t0000000000000000`,
    ),
    ...['CapPrm', 'CapEff', 'CapBnd'].map((name) => `${name}:\t000001ffffffffff`),
    'CapAmb:\t0000000000000000',
    'NoNewPrivs:\t0',
    'Seccomp:\t0',
    'Seccomp_filters:\t0',
    'Speculation_Store_Bypass:\tvulnerable',
    'Cpus_allowed:\tffff',
    'Cpus_allowed_list:\t0-15',
    'Mems_allowed:\t00000001',
    'Mems_allowed_list:\t0',
    'voluntary_ctxt_switches:\t0',
    'nonvoluntary_ctxt_switches:\t0',
    '',
  ].join('\n');
}

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
    .map(([name, kibibytes]) => describeSize(name, kibibytes))
    .join('');
}

function describeSize(name: string, kib: number): string {
  return `${`${name}:`.padEnd(15)} ${String(kib).padStart(8)} kB\n`;
}

/** The files about the address space of a process: one mapping, twice as large as what is resident. */
function describeMappings({ path, residentMib, isKernelThread }: Program): Record<string, string> {
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
