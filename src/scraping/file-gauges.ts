import { findErrorCode, UnavailableError } from '../errors.js';
import { isAbsent, type KeptFile } from '../linux/kept-file.js';
import { attributesKey } from '../model/series.js';
import type { Table } from '../model/table.js';
import type { GaugeColumn, GaugeTable } from './gauge-table.js';
import type { SlowFiles } from './slow-files.js';
import type { Source, Steps } from './source.js';

/** A gauge that is the whole content of a file. */
export interface GaugeFile extends GaugeColumn {
  readonly path: string;
  /**
   * The value in the metric's unit; NaN if the driver has no value.
   * @throws Error if the text is invalid
   */
  parse(text: string): number;
}

/** The current files. */
export interface GaugeFiles {
  /** For messages: `trip points of /sys/class/thermal`. */
  readonly name: string;
  /** Changes when a device comes or goes; called before each reading. */
  readonly version: () => string;
  readonly list: () => readonly GaugeFile[];
  /** Reads the files, where some of them may be slow. */
  readonly slow?: SlowFiles;
}

interface OpenGauge {
  readonly column: GaugeFile;
  readonly file: KeptFile;
}

/** Gauges of devices that come and go, each in a file of its own. A gauge that cannot be read at present is a gap. */
export class FileGauges {
  readonly #source: Source;
  readonly #files: GaugeFiles;
  readonly #gauges: GaugeTable;
  #open = new Map<string, OpenGauge>();
  #version: string | undefined;
  #wasThere = false;
  #values: number[] = [];
  #parts: readonly (() => void)[] = [];

  constructor(source: Source, files: GaugeFiles) {
    this.#source = source;
    this.#files = files;
    this.#gauges = source.gauges();
  }

  /**
   * @throws UnavailableError while no file has existed
   * @throws Error if no file can be read
   */
  *read(at: bigint): Steps<Table> {
    this.#follow();
    if (!this.#wasThere) throw createAbsence(this.#files.name);
    this.#values.fill(NaN);
    yield* this.#source.readInSteps(this.#parts);
    return this.#gauges.row(at, this.#values);
  }

  #follow(): void {
    const version = this.#files.version();
    if (version === this.#version) return;
    this.#version = version;
    const before = this.#open;
    const listed = new Map(this.#files.list().map((column) => [keyOf(column), column]));
    for (const [key, { file }] of before) if (!listed.has(key)) this.#source.forget(file.path);
    this.#open = new Map();
    // The file is requested every time: it was forgotten if a removed gauge had the same path.
    for (const [key, column] of listed)
      this.#open.set(key, {
        column: before.get(key)?.column ?? column,
        file: this.#source.file(column.path),
      });
    this.#wasThere ||= this.#open.size > 0;
    this.#choose([...this.#open.values()]);
  }

  #choose(open: readonly OpenGauge[]): void {
    this.#gauges.choose(open.map(({ column }) => column));
    this.#values = open.map(() => NaN);
    this.#parts = open.map((gauge, i) => () => void (this.#values[i] = this.#readOne(gauge)));
  }

  #readOne({ column, file }: OpenGauge): number {
    try {
      return column.parse(readLine(file, this.#files.slow));
    } catch (error) {
      // Another device may have its name by now.
      if (isAbsent(error)) this.#version = undefined;
      if (isUnknown(error)) return NaN;
      throw error;
    }
  }
}

function keyOf({ path, attributes }: GaugeFile): string {
  return `${path} ${attributesKey(attributes)}`;
}

/**
 * The only line of a file, without its end. The kernel always writes a line end: a text without it is
 * incomplete.
 * @throws Error if it is unreadable or incomplete
 */
export function readLine(file: KeptFile, slow?: SlowFiles): string {
  const text = (slow?.read(file) ?? file.read()).toString('latin1');
  if (text.endsWith('\n')) return text.trim();
  throw new Error(`Cannot parse ${file.path}: expected a whole line, found "${text}"`);
}

/** Creates the error for what this machine does not have. @param name `trip points of /sys/class/thermal` */
export function createAbsence(name: string): UnavailableError {
  return new UnavailableError(`Cannot read ${name}: expected at least one, found none`);
}

/** Errors of drivers that have no value: a zone that is switched off, a chip that sleeps. */
const unknownCodes = new Set(['EAGAIN', 'EINVAL', 'ENODATA']);

function isUnknown(error: unknown): boolean {
  return error instanceof Error && unknownCodes.has(findErrorCode(error.cause) ?? '');
}

/** @throws Error if a file contains something other than a whole number */
export function parseWhole(path: string, text: string): number {
  if (/^-?\d+$/u.test(text)) return Number(text);
  throw new Error(`Cannot parse ${path}: expected a whole number, found "${text}"`);
}
