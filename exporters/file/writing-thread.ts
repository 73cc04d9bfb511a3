import { parentPort, workerData } from 'node:worker_threads';
import type { Log } from '../../src/component/log.js';
import { describeError } from '../../src/errors.js';
import type { RecordedTable } from '../../src/recording/recorded-table.js';
import { TableUnpacker } from '../../src/recording/table-parcel.js';
import type { FileConfig } from './config.js';
import type { WritingCommand, WritingMessage, Written } from './file-writer.js';
import { CsvFormat, JsonFormat, LineRecording } from './line-recording.js';
import { ParquetRecording } from './parquet-recording.js';
import type { Recording } from './recording.js';
import { Rotation } from './rotation.js';

function post(message: WritingMessage): void {
  parentPort?.postMessage(message, []);
}

function forward(level: 'debug' | 'info' | 'warn' | 'error'): (text: string) => void {
  return (text) => post({ type: 'note', level, text });
}

const log: Log = {
  debug: forward('debug'),
  info: forward('info'),
  warn: forward('warn'),
  error: forward('error'),
};

/** Writes the tables that it receives, and keeps what cannot be written for the next attempt. */
class Writer {
  readonly #recording: Recording;
  readonly #unpacker = new TableUnpacker();
  #waiting: readonly RecordedTable[] = [];
  /** Tables that the recording has taken but not written yet. */
  #taken = 0;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  obey(command: WritingCommand): void {
    if (command.type === 'introduce') this.#unpacker.meet(command.introduction);
    else if (command.type === 'write') {
      this.#waiting = [...this.#waiting, ...this.#unpacker.unpack(command.parcel)];
      post(this.#write());
    } else this.#close();
  }

  #write(): Written {
    let tables = 0;
    const drain = () => {
      this.#recording.drain();
      tables += this.#taken;
      this.#taken = 0;
    };
    try {
      drain();
      while (this.#waiting.length > 0) {
        this.#taken = this.#recording.take(this.#waiting);
        this.#waiting = this.#waiting.slice(this.#taken);
        drain();
      }
      return { type: 'wrote', tables, failure: undefined };
    } catch (error) {
      return { type: 'wrote', tables, failure: describeError(error) };
    }
  }

  #close(): void {
    this.#recording.close();
    post({ type: 'closed' });
    parentPort?.close();
  }
}

function createRecording(config: FileConfig): Recording {
  const rotation = new Rotation(config.rotation, log);
  if (config.format === 'parquet') return new ParquetRecording(config, rotation);
  const isPlain = config.compression === 'none';
  const format =
    config.format === 'csv' ? new CsvFormat(config.attribute_columns, isPlain) : new JsonFormat();
  return new LineRecording(config, format, rotation);
}

// The exporter passes its configuration as worker data.
const recording = createRecording(workerData as FileConfig);
try {
  recording.open();
  const writer = new Writer(recording);
  parentPort?.on('message', (command: WritingCommand) => writer.obey(command));
  post({ type: 'opened' });
} catch (error) {
  post({ type: 'refused', message: describeError(error) });
}
