import type { ConsumingComponent, Context, ExporterFactory } from '../../src/component/component.js';
import { UnavailableError } from '../../src/component/errors.js';
import { fixedColumns } from '../../src/recording/csv-columns.js';
import { parquetColumns } from '../../src/recording/parquet-columns.js';
import { zstdMissing } from '../../src/recording/zstd.js';
import { schema, type Config } from './config.js';
import { CsvFormat } from './csv-format.js';
import { FileExporter } from './file-exporter.js';
import { JsonFormat } from './json-format.js';
import { LineRecording } from './line-recording.js';
import { ParquetRecording } from './parquet-recording.js';
import type { Recording } from './recording.js';
import { Rotation } from './rotation.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: findProblems,
  create(config, context) {
    const { path } = config;
    if (path === null) return createPathless();
    return new FileExporter({ ...config, path }, context, createRecording({ ...config, path }, context));
  },
};

function findProblems({ path, format, compression, attribute_columns: columns }: Config): readonly string[] {
  const problems: string[] = [];
  if (path === null) problems.push('path: expected a path, found nothing');
  if (format === 'parquet' && compression !== 'none') {
    problems.push(
      `compression: expected none with Parquet, which is compressed by itself, found ${compression}`,
    );
  }
  if (compression === 'zstd' && zstdMissing !== undefined) problems.push(`compression: ${zstdMissing}`);
  const taken = new Set<string>(format === 'csv' ? fixedColumns : format === 'parquet' ? parquetColumns : []);
  for (const column of columns) {
    if (taken.has(column)) problems.push(`attribute_columns: there is a column "${column}" already`);
    if (column.endsWith(')')) problems.push(`attribute_columns: expected no ")" at the end of "${column}"`);
    taken.add(column);
  }
  return problems;
}

function createRecording(config: Config & { readonly path: string }, { log }: Context): Recording {
  const rotation = new Rotation(config.rotation, log);
  if (config.format === 'parquet') return new ParquetRecording(config, rotation);
  const isPlain = config.compression === 'none';
  const format =
    config.format === 'csv' ? new CsvFormat(config.attribute_columns, isPlain) : new JsonFormat();
  return new LineRecording(config, format, rotation);
}

function createPathless(): ConsumingComponent {
  return {
    start() {
      throw new UnavailableError('Cannot write a file: "path" is not set');
    },
    consume: () => false,
    shutdown() {},
  };
}
