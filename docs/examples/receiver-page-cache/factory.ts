import {
  createSourceReceiver,
  parseLine,
  probeSources,
  type ConfigOf,
  type Metric,
  type NamedSource,
  type ReceiverFactory,
  type Schema,
} from 'joulemetry/plugin';

const schema = {
  collection_interval: { doc: 'Time between two readings.', format: 'duration', default: '1s', min: 1 },
  procfs: { doc: 'Where procfs is mounted.', format: 'path', default: '/proc' },
} as const satisfies Schema;

/** Lines of `/proc/meminfo`, which are in KiB, and what they become. */
const gauges: Readonly<Record<string, Metric>> = {
  'Dirty:': bytes('example.memory.dirty', 'File pages that wait to be written to disk'),
  'Writeback:': bytes('example.memory.writeback', 'File pages that are being written to disk'),
  'Mapped:': bytes('example.memory.mapped', 'File pages that are mapped into processes'),
};

function bytes(name: string, description: string): Metric {
  return { name, unit: 'By', description, kind: 'updowncounter', valueType: 'int' };
}

function listSources({ procfs }: ConfigOf<typeof schema>): readonly NamedSource[] {
  const describe: NamedSource['describe'] = (source) => {
    const file = source.file(`${procfs}/meminfo`);
    const table = source.gauges(Object.values(gauges).map((metric) => ({ metric, attributes: {} })));
    return (at) => {
      const text = file.read();
      const values = Object.keys(gauges).map((label) => 1024 * parseLine(file.path, text, label));
      return [table.row(at, values)];
    };
  };
  return [{ name: 'meminfo', remedy: `mount procfs at ${procfs}`, describe }];
}

export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: Object.values(gauges),
  probe: (config, context) => probeSources(listSources(config), context),
  create(config, context, next) {
    const { collection_interval: intervalMs } = config;
    return createSourceReceiver({ intervalMs, sources: listSources(config), context, next });
  },
};
