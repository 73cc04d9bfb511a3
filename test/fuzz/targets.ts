import { acceptsGzip, chooseFormat } from '../../exporters/prometheus/negotiation.js';
import {
  readField,
  readResidencies,
  readThrottle,
  recognizeMetrics,
} from '../../receivers/amd_gpu/gpu-metrics.js';
import { ProcessIo } from '../../receivers/process/process-io.js';
import { ProcessMaps } from '../../receivers/process/process-maps.js';
import { ConfigurationError, type Problem } from '../../src/config/problem.js';
import { parseConfigText } from '../../src/config/read-yaml.js';
import { validateService } from '../../src/config/service.js';
import { substitute } from '../../src/config/substitute.js';
import { identifyCgroup } from '../../src/identity/cgroup.js';
import { parseProcessContext } from '../../src/identity/process-context.js';
import { parseResourceAttributes } from '../../src/identity/resource-attributes.js';
import { parseDrmFdinfo } from '../../src/linux/drm-fdinfo.js';
import { parseMounts } from '../../src/linux/mounts.js';
import { parseFieldLayout } from '../../src/linux/perf/format.js';
import { parseEvents } from '../../src/linux/perf/grammar.js';
import { ProcessStat } from '../../src/linux/process-stat.js';
import { parseCpuTimes, parseForks, parseNumbers } from '../../src/linux/procfs.js';
import { parseCounter } from '../../src/linux/sysfs.js';
import { parseCpuList } from '../../src/linux/topology.js';
import type { Table } from '../../src/model/table.js';
import { parseExportResponse, parseRetryDelayMs } from '../../src/otlp/delegate-client.js';
import { readFields } from '../../src/protobuf.js';
import { CsvDecoder } from '../../src/recording/csv-decoder.js';
import { CsvEncoder } from '../../src/recording/csv-encoder.js';
import { PointStream } from '../../src/recording/decoder.js';
import { JsonLinesDecoder } from '../../src/recording/json-lines-decoder.js';
import { JsonLinesEncoder } from '../../src/recording/json-lines-encoder.js';
import { ParquetDecoder } from '../../src/recording/parquet-decoder.js';
import { ParquetEncoder } from '../../src/recording/parquet-encoder.js';
import { bmcTargets } from './bmc-targets.js';
import { parseCgroupFiles } from './cgroup-files.js';
import { HostFiles } from './host-files.js';
import { meterTargets } from './meter-targets.js';
import { nameTargets, type Target } from './name-targets.js';
import { createOtlpTargets } from './otlp-targets.js';
import { parsePage } from './prometheus-pages.js';

const context = { env: { HOST: 'h', EMPTY: '' }, onUnset: () => {} };
const finder = {
  find: () => Promise.resolve(undefined),
  list: () => [],
  findReplacement: () => undefined,
  describeSearch: () => '',
};

/** Everything that reads what others wrote. @param folder an empty one, for parsers that read files */
export function createTargets(folder: string): readonly Target[] {
  return [
    createHostTarget(new HostFiles(folder)),
    ...kernelTargets,
    ...configurationTargets,
    ...networkTargets,
    ...bmcTargets,
    ...meterTargets,
    ...nameTargets,
    ...createRecordingTargets(),
    ...createOtlpTargets(createTable(), { consume: takeAgain }),
  ];
}

function texts(...examples: readonly string[]): readonly Buffer[] {
  return examples.map((text) => Buffer.from(text));
}

const numbers = Array.from({ length: 49 }, (_, i) => i).join(' ');

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

/** A table of that version which fits all that is read of it. */
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

const configuration = `receivers:
  rapl: &a {collection_interval: 1s}
  rapl/b: {<<: *a, host: "\${env:HOST:-x}"}
exporters: {file: {path: /x}}
service:
  pipelines: {metrics: {receivers: [rapl], exporters: [file]}}
`;

const configurationTargets: readonly Target[] = [
  {
    name: 'configuration',
    examples: texts(configuration, 'a: [1, {b: c}]\n', '{"a": "b\\n"}'),
    async parse(input) {
      const problems: Problem[] = [];
      const node = parseConfigText(input.toString(), 'c.yaml', context, problems);
      if (problems.length > 0) throw new ConfigurationError(problems);
      await validateService(node, finder);
    },
  },
  {
    name: 'substitution',
    examples: texts('a ${env:HOST} b', '${HOST:-x}$$ ${env:EMPTY}'),
    parse: (input) => substitute(input.toString(), context),
  },
];

const response = Buffer.from('0a0b0803120764726f70706564', 'hex');

const networkTargets: readonly Target[] = [
  {
    name: 'pages of Prometheus',
    examples: texts(
      '# HELP a b\n# TYPE a counter\na{x="1",y="\\n"} 1 1500\n{"b.c","d e"="f"} -2.5e-3\n# TYPE h histogram\nh_bucket{le="+Inf"} 3\nh_sum NaN\n',
      'target_info{a="b"} 1\nprocess_start_time_seconds 1.7e9\na 12345678901234567890\na 2\n',
    ),
    parse: (input) => parsePage(input, 'classic'),
  },
  {
    name: 'pages of OpenMetrics',
    examples: texts(
      '# TYPE a counter\n# UNIT a seconds\na_total{x="1"} 1 1500.5 # {t="1"} 0.5 1\na_created{x="1"} 0.25\n# EOF\n',
    ),
    parse: (input) => parsePage(input, 'openmetrics'),
  },
  {
    name: 'process contexts',
    examples: [Buffer.from('0a1a0a180a0c736572766963652e6e616d6512080a06636865636b6f', 'hex')],
    parse: (input) => parseProcessContext(input),
  },
  {
    name: 'OTEL_RESOURCE_ATTRIBUTES',
    examples: texts('service.name=a%2Cb, team = x,eq=1=2,'),
    mayThrow: [RangeError],
    parse: (input) => parseResourceAttributes(input.toString()),
  },
  {
    name: 'OTLP responses',
    examples: [response, Buffer.from('1a2f0a28747970652e676f6f676c65617069732e636f6d', 'hex')],
    mayThrow: [RangeError],
    parse(input) {
      readFields(input);
      parseExportResponse(input);
      return parseRetryDelayMs(input);
    },
  },
  {
    name: 'Accept headers',
    examples: texts(
      'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1',
      'br, gzip;q=0',
    ),
    parse: (input) => [chooseFormat(input.toString()), acceptsGzip(input.toString())],
  },
];

function createTable(): Table {
  const series = [0, 1, 2].map((id) => ({
    metric: { name: `m${id}`, unit: 'J', description: 'd', kind: 'counter', valueType: 'double' } as const,
    resource: { attributes: { 'host.name': 'a, "b"' } },
    attributes: { 'hw.id': `=p${id}` },
    start: BigInt(id),
  }));
  const values = Float64Array.from({ length: 6 }, (_, cell) => (cell === 4 ? NaN : cell / 3));
  return {
    series,
    epoch: 1_800_000_000_000_000_000n,
    offsets: Float64Array.of(0, 1e6),
    values,
    ended: series,
  };
}

function encodeParquet(table: Table): Buffer {
  const encoder = new ParquetEncoder(['hw.id']);
  return Buffer.concat([encoder.encode([table]), encoder.encode([table]), encoder.footer()]);
}

function createRecordingTargets(): readonly Target[] {
  const table = createTable();
  const json = new JsonLinesEncoder();
  json.add(table);
  const csv = new CsvEncoder(['hw.id']);
  csv.metricColumns = csv.findMissing([table]);
  // What was read is written again: an instant or a number that no format can hold would show there.
  const sink = { table: writeAgain, malformed: throwReason, unsupported: () => {} };
  return [
    {
      name: 'JSON lines',
      examples: [json.take()],
      parse(input) {
        const stream = new PointStream(sink);
        const decoder = new JsonLinesDecoder(sink, stream);
        for (const line of input.toString().split('\n')) decoder.line(line);
        stream.flush();
      },
    },
    {
      name: 'CSV',
      examples: texts(csv.header() + csv.encode(table)),
      parse(input) {
        const [header, ...lines] = input.toString().split('\n');
        const stream = new PointStream(sink);
        const decoder = new CsvDecoder(header, sink, stream);
        for (const line of lines) decoder.line(line);
        stream.flush();
      },
    },
    {
      name: 'Parquet',
      examples: [encodeParquet(table)],
      async parse(input) {
        const stream = new PointStream(sink);
        const file = input.buffer.slice(input.byteOffset, input.byteOffset + input.length);
        // ArrayBuffers of Node are no shared ones.
        for await (const _ of new ParquetDecoder(sink, stream).read(file as ArrayBuffer));
        stream.flush();
      },
    },
  ];
}

/** What a user would read is looked at like an error that ends a file. */
function throwReason(reason: string): void {
  throw new Error(reason);
}

function writeAgain(table: Table): void {
  const csv = new CsvEncoder([]);
  csv.metricColumns = csv.findMissing([table]);
  csv.encode(table);
  new JsonLinesEncoder().add(table);
}

function takeAgain(table: Table): boolean {
  writeAgain(table);
  return true;
}
