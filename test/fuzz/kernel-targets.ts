import {
  readField,
  readResidencies,
  readThrottle,
  recognizeMetrics,
} from '../../receivers/amd_gpu/gpu-metrics.js';
import { ProcessIo } from '../../receivers/process/process-io.js';
import { ProcessMaps } from '../../receivers/process/process-maps.js';
import { identifyCgroup } from '../../src/identity/cgroup.js';
import { parseDrmFdinfo } from '../../src/linux/drm-fdinfo.js';
import { parseMounts } from '../../src/linux/mounts.js';
import { parseFieldLayout } from '../../src/linux/perf/format.js';
import { parseEvents } from '../../src/linux/perf/grammar.js';
import { ProcessStat } from '../../src/linux/process-stat.js';
import { parseCpuTimes, parseForks, parseNumbers } from '../../src/linux/procfs.js';
import { parseCounter } from '../../src/linux/sysfs.js';
import { parseCpuList } from '../../src/linux/topology.js';
import { parseCgroupFiles } from './cgroup-files.js';
import { HostFiles } from './host-files.js';
import { texts, type Target } from './target.js';

const numbers = Array.from({ length: 49 }, (_, i) => i).join(' ');

/** Files of the kernel. @param folder an empty one, for parsers that read files */
export function createKernelTargets(folder: string): readonly Target[] {
  return [createHostTarget(new HostFiles(folder)), ...kernelTargets];
}

function createHostTarget(files: HostFiles): Target {
  return {
    name: 'tables of the machine',
    examples: texts(
      'MemTotal:  16 kB\nMemFree: 4 kB\nMemAvailable: 9 kB\nSwapTotal: 2 kB\nSwapFree: 1 kB\n',
      '   8       0 sda 1 2 3 4 5 6 7 8 0 9 10\n   8      16 größe 1 2 3 4 5 6 7 8 0 9 10 0 0 0 0 0 0\n',
      'a|\n b|c\n eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n bré: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n',
      'processor\t: 0\ncpu MHz\t\t: 2100.123\n\nprocessor\t: 1\ncpu MHz\t\t: 800.500\n',
      '0.50 1.25 2.00 1/234 567\n',
      'some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=4\n',
      'pgfault 9\npgmajfault 2\npswpin 1\npswpout 1\n',
      'cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\nctxt 5\nprocesses 7\nprocs_running 1\nprocs_blocked 0\n',
    ),
    parse: (input) => files.read(input),
  };
}

/** A table of that version with the size that is read. */
function createMetrics(format: number, content: number): Buffer {
  return Buffer.from([160, 0, format, content, ...Array.from({ length: 156 }, (_, i) => i)]);
}

const kernelTargets: readonly Target[] = [
  {
    name: '/proc/PID/fdinfo',
    examples: texts(
      'pos:\t0\ndrm-driver:\ti915\ndrm-client-id:\t7\ndrm-pdev:\t0000:00:02.0\ndrm-engine-render:\t9 ns\ndrm-resident-local0:\t4 KiB\n',
      'drm-driver:\txe\ndrm-cycles-rcs:\t28\ndrm-total-cycles-rcs:\t76\ndrm-engine-capacity-rcs:\t2\n',
    ),
    parse: (input) => parseDrmFdinfo(input.toString('latin1')),
  },
  {
    name: 'gpu_metrics',
    examples: [createMetrics(1, 3), createMetrics(1, 7), createMetrics(2, 4), createMetrics(3, 0)],
    parse(input) {
      const { layout } = recognizeMetrics(input) ?? {};
      layout?.fields.forEach((field) => readField(input, field));
      if (layout?.throttleStatus !== undefined) readThrottle(input, layout.throttleStatus);
      if (layout?.residencies !== undefined) readResidencies(input, layout.residencies);
    },
  },
  {
    name: '/proc/stat',
    examples: texts('cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 1 2\nprocesses 7\n'),
    parse(input) {
      parseForks(input);
      parseNumbers(input, 0, new Float64Array(8));
      return parseCpuTimes(input);
    },
  },
  {
    name: '/proc/PID/stat',
    examples: texts(`12 (a) b) S ${numbers}\n`),
    parse: (input) => new ProcessStat().parse(input, input.length),
  },
  {
    name: '/proc/PID/io',
    examples: texts('rchar: 5\nwchar: 6\nread_bytes: 1\nwrite_bytes: 2\ncancelled_write_bytes: 9\n'),
    parse: (input) => new ProcessIo().parse(input),
  },
  {
    name: '/proc/PID/smaps_rollup',
    examples: texts(
      '55e8-7ffc ---p 0 00:00 0 [rollup]\nRss: 9 kB\nPss: 5 kB\nShared_Clean: 2 kB\nShared_Dirty: 1 kB\n',
    ),
    parse: (input) => new ProcessMaps('').parse(input),
  },
  {
    name: '/proc/PID/cgroup',
    examples: texts(
      `12:cpu:/a\n0::/system.slice/docker-${'0123456789abcdef'.repeat(4)}.scope\n`,
      '0::/kubepods.slice/kubepods-pod74c13223_5a00_11e9_b385_42010a80018d.slice/machine-a\\x2d1.scope\n',
      '3:cpu:/slurm/uid_1/job_2/step_0/task_1\n0::/user.slice\n',
    ),
    parse: (input) => identifyCgroup(input.toString()),
  },
  {
    name: 'files of cgroups',
    examples: texts(
      'usage_usec 3\nuser_usec 2\nsystem_usec 1\nnr_periods 4\nnr_throttled 2\nthrottled_usec 9\n',
      'anon 3\nfile 6\ninactive_file 1\npgfault 5\npgmajfault 2\ntotal_rss 3\ntotal_cache 2\n',
      '7:0 \n254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n254:0 Read 1\n254:0 Write 2\nTotal 3\n',
      'max\n',
      'oom 1\noom_kill 2\n',
      'some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=4\n',
    ),
    parse: parseCgroupFiles,
  },
  {
    name: 'mounts',
    examples: texts('30 23 0:26 / /sys/fs/cgroup\\040x rw - cgroup2 cgroup2 rw,nsdelegate\n'),
    parse: (input) => parseMounts(input.toString()),
  },
  {
    name: 'sysfs',
    examples: texts('123456\n', '0-3,8\n', 'config:0-7,32-35\n'),
    parse(input) {
      parseCounter(input, input.length);
      parseCpuList(input.toString());
      return parseFieldLayout(input.toString());
    },
  },
  {
    name: 'perf events',
    examples: texts('cycles:u,{instructions,branches}:S,cpu/event=0x3c,inv/,r1a8,sched:sched_switch'),
    parse: (input) => parseEvents(input.toString()),
  },
];
