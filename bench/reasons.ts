/** The reason for missed budgets: of a benchmark, for the rows whose names match. */
interface Reason {
  readonly benchmark: string;
  readonly rows: RegExp;
  readonly reason: string;
}

const ticks =
  '0.1 points are 1 ms a second, and what the kernel and a hypervisor take of it differs by more between two runs; a kernel ' +
  'without preemption (PREEMPT_NONE) finishes a system call of another thread first; of ours, a collection of the young ' +
  'generation takes 0.2 ms every few seconds';
const resources = 'a resource has few points to share its bytes and its lookups';
const constant =
  'most of it is the same for any number of processes: with 100, an agent on a loaded machine takes 4.5 ms without pages, ' +
  'where C takes 1.0 ms, and 8.4 ms with both, of which either alone adds 2.5 to 3 ms; no function takes more than 7 %, ' +
  'and garbage collection 3 to 5 %; code that runs once a second is rarely in a cache, and V8 optimises it late: at 10 Hz ' +
  'a scan takes 40 % less';
const http2 = "Node's HTTP/2 costs the rest: over HTTP/1.1 the same points take 1.3 to 2 times less";

/**
 * Found by profiles, traces of the scheduler and of V8, heap snapshots, and by comparison with neighbouring rows. The
 * first one that matches holds.
 */
const reasons: readonly Reason[] = [
  {
    benchmark: 'sampling',
    rows: /^Missed ticks at 50000 Hz/u,
    reason: 'a reading of four counters takes longer than the 20 us between two ticks, by C, too',
  },
  { benchmark: 'sampling', rows: /^Missed ticks/u, reason: ticks },
  { benchmark: 'perf-receiver', rows: /^Missed ticks/u, reason: ticks },
  {
    benchmark: 'rapl-receiver',
    rows: /^Missed ticks/u,
    reason: `${ticks}, and a search for other counters 0.5 ms every 5 s`,
  },
  {
    benchmark: 'rapl-receiver',
    rows: /^CPU per sample at 1000 Hz/u,
    reason:
      'a reading takes 1.2 us one after the other, but after 1 ms of sleep the sampling thread takes 18 us: 12 us in the kernel, as ' +
      'C does, 4 us for three calls of C functions from JavaScript, and 2 us for JavaScript; the same code takes 1.00x at 10 kHz',
  },
  {
    benchmark: 'rate',
    rows: /CPU per sample$/u,
    reason:
      'a reading after 1 ms of sleep takes C itself 18 to 21 us; JavaScript adds 5 to 7 us, the rest of the agent 1.5 us, and ' +
      'sending by OTLP another 3.5 us',
  },
  {
    benchmark: 'rate',
    rows: /missed ticks$/u,
    reason: ticks.replace('0.1 points are 1 ms', '0.05 points are 0.5 ms'),
  },
  {
    benchmark: 'nine-domains',
    rows: /^Missed ticks/u,
    reason: `${ticks}, and a search for other zones 0.5 ms every 5 s; C is measured when no other thread of the agent takes a CPU`,
  },
  {
    benchmark: 'nine-domains',
    rows: /^Longest slice/u,
    reason:
      'in CPU time, 2.7 to 4.6 ms: meanwhile other threads have the CPUs, the C loop and the receiving programs among them; without ' +
      'the first page of own telemetry, which takes 7 ms of CPU time, since nothing of it has run before',
  },
  {
    benchmark: 'crowd',
    rows: /ebpf/u,
    reason: 'system calls take a third of it, JavaScript and collections of a heap of 26 MB the rest',
  },
  { benchmark: 'encoder', rows: /512 processes/u, reason: resources },
  { benchmark: 'otlp', rows: /gRPC/u, reason: http2 },
  {
    benchmark: 'page',
    rows: /compressed$/u,
    reason:
      'gzip takes half of the budget where lines are few: a zlib stream takes 0.2 to 0.5 ms of the main thread for each page',
  },
  {
    benchmark: 'page',
    rows: /longest slice$/u,
    reason:
      'a collection of garbage that falls into a slice counts as a part of it: slices without one take 2 to 4 ms',
  },
  {
    benchmark: 'file',
    rows: /^Read a point of JSON: 512 processes/u,
    reason:
      'with one row in a table, what is done once per series is done for each point: with 910 rows a point takes a third',
  },
  {
    benchmark: 'cgroup-scan',
    rows: /^Scan/u,
    reason: 'not known: on different days, C has taken from 0.7 to 2.9 ms, and ours from 1.2 to 3.0 ms',
  },
  {
    benchmark: 'cgroup-scan',
    rows: /^First scan/u,
    reason:
      'a collection of the young generation falls into a step, for 5 to 11 ms (trace of V8); without one, the longest step takes 2.1 ms',
  },
  {
    benchmark: 'cgroup-scan',
    rows: /^Names/u,
    reason: 'collections of the young generation are a part of it, which take 3 to 17 ms here (trace of V8)',
  },
  {
    benchmark: 'cpu-accounting',
    rows: /100 % of which run/u,
    reason: 'a process that has run since the last pass takes 0.1 us more',
  },
  { benchmark: 'cpu-accounting', rows: /^CPU time/u, reason: 'at the limit: loads differ by 0.01 us' },
  {
    benchmark: 'agent',
    rows: /CPU per second$/u,
    reason: constant,
  },
  {
    benchmark: 'agent',
    rows: /private memory$/u,
    reason:
      'Node alone takes 6.5 to 8.4 MB, the loaded modules most of the rest, and being scraped 4 to 5 MB',
  },
  {
    benchmark: 'exec',
    rows: /./u,
    reason: 'Node alone takes 58 to 61 ms of it; the same build took 136 and 154 ms on one day',
  },
  {
    benchmark: 'growth',
    rows: /^CPU/u,
    reason: constant,
  },
  {
    benchmark: 'growth',
    rows: /^memory/u,
    reason:
      '24 MB without them and 3.6 kB for each process, of which 2.6 kB are heap: 0.6 kB its usage, 0.5 kB its identity and ' +
      'files, 0.3 kB its series, and 0.2 kB each its values, its attributes and its entries in maps; 57 to 62 MB in turn, ' +
      'between two full collections',
  },
  {
    benchmark: 'growth',
    rows: /^slice/u,
    reason:
      'a full collection of garbage, two to five a minute: 15 to 18 ms on Node 20, where it moves the heap, which saves 1 to ' +
      '3 MB at rest and 10 MB with 40 births a second; without it, and on Node 24, 2 to 7 ms after steps of marking',
  },
  {
    benchmark: 'soak',
    rows: /^Soak: growth/u,
    reason:
      'no objects of the agent: V8 optimises code that runs once a second for an hour, and at 1 kHz no collection moves ' +
      'objects together',
  },
  {
    benchmark: 'neighbours',
    rows: /^Slowdown/u,
    reason: 'so does the C loop: a thousand reads of four counters, 20 us each here, are 2 % of a CPU',
  },
];

/** The reason for which this row misses its budget, if known. */
export function findReason(benchmark: string, what: string): string {
  const reason = reasons.find((one) => one.benchmark === benchmark && one.rows.test(what));
  return reason?.reason ?? 'the reason is not known';
}
