import type { Log } from '../../src/component/log.js';
import type { Config } from './config.js';
import { CsvFormat, JsonFormat } from './line-formats.js';
import { LineRecording } from './line-recording.js';
import { ParquetRecording } from './parquet-recording.js';
import type { Recording } from './recording.js';
import { Rotation } from './rotation.js';

/** A configuration with a file to write. */
export type FileConfig = Config & { readonly path: string };

/** What makes files of tables in the format of the configuration. */
export function createRecording(config: FileConfig, log: Log): Recording {
  const rotation = new Rotation(config.rotation, log);
  if (config.format === 'parquet') return new ParquetRecording(config, rotation);
  const isPlain = config.compression === 'none';
  const format =
    config.format === 'csv' ? new CsvFormat(config.attribute_columns, isPlain) : new JsonFormat();
  return new LineRecording(config, format, rotation);
}
