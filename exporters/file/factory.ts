import type { ConsumingComponent, ExporterFactory } from '../../src/component/component.js';
import { UnavailableError } from '../../src/errors.js';
import { fixedColumns } from '../../src/recording/csv-columns.js';
import { histogramColumns } from '../../src/recording/histogram-columns.js';
import { parquetColumns } from '../../src/recording/parquet-columns.js';
import { zstdMissing } from '../../src/zstd.js';
import { schema, type Config } from './config.js';
import { FileExporter } from './file-exporter.js';

export const factory: ExporterFactory<typeof schema> = {
  schema,
  check: findProblems,
  create(config, context) {
    const { path } = config;
    if (path === null) return createPathless();
    return new FileExporter({ ...config, path }, context);
  },
};

/** The columns that each format always has. */
const columnsOf = { json: [], csv: fixedColumns, parquet: parquetColumns } as const;

function findProblems({ path, format, compression, attribute_columns: columns }: Config): readonly string[] {
  const problems: string[] = [];
  if (path === null) problems.push('path: expected a path, found nothing');
  if (format === 'parquet' && compression !== 'none') {
    problems.push(
      `compression: expected none with Parquet, which is compressed by itself, found ${compression}`,
    );
  }
  if (compression === 'zstd' && zstdMissing !== undefined) problems.push(`compression: ${zstdMissing}`);
  const taken = new Set<string>([...columnsOf[format], ...(format === 'json' ? [] : histogramColumns)]);
  for (const column of columns) {
    if (taken.has(column)) problems.push(`attribute_columns: there is a column "${column}" already`);
    if (column.endsWith(')')) problems.push(`attribute_columns: expected no ")" at the end of "${column}"`);
    taken.add(column);
  }
  return problems;
}

function createPathless(): ConsumingComponent {
  return {
    start() {
      throw new UnavailableError('Cannot write a file: expected the setting "path", found none');
    },
    consume: () => false,
    shutdown() {},
  };
}
