import type { CardFeature } from '../../src/gpu/card-reader.js';
import { isAbsent, KeptFile } from '../../src/linux/kept-file.js';
import {
  isSameVersion,
  readField,
  readResidencies,
  readThrottle,
  recognizeMetrics,
  residencies,
  throttleReasons,
  type Field,
  type GpuMetrics,
} from './gpu-metrics.js';

/** The table that the driver copies from the firmware of a GPU. */
export class MetricsTable implements CardFeature {
  readonly columns: readonly string[];
  readonly #file: KeptFile;
  readonly #metrics: GpuMetrics;
  readonly #fields: readonly Field[];
  /** Whether it may have an energy counter in an undocumented unit. */
  readonly hasUnknownEnergy: boolean;
  /** Counts of cycles at the last reading. */
  #counts: readonly number[] = [];
  #atNs = 0n;

  private constructor(
    file: KeptFile,
    metrics: GpuMetrics,
    { fields, isTrusted }: { readonly fields: readonly Field[]; readonly isTrusted: boolean },
  ) {
    this.#file = file;
    this.#metrics = metrics;
    this.#fields = fields;
    this.hasUnknownEnergy = !isTrusted;
    const { throttleStatus, residencies: counted } = metrics.layout;
    this.columns = [
      ...fields.map(({ column }) => column),
      ...(throttleStatus === undefined ? [] : Object.keys(throttleReasons).map((one) => `throttle.${one}`)),
      ...(counted === undefined ? [] : residencies.map((one) => `throttle.growth.${one}`)),
    ];
  }

  /**
   * Opens the table of a card and determines its contents once.
   * @param has whether a column is already read in another way
   * @returns undefined if the driver has no table, or its version is unknown
   */
  static open(path: string, has: (column: string) => boolean): MetricsTable | undefined {
    const file = new KeptFile(path);
    const table = tryRead(file);
    const metrics = table && recognizeMetrics(table);
    if (table === undefined || metrics === undefined) {
      file.close();
      return undefined;
    }
    const known = metrics.layout.fields.filter((field) => !Number.isNaN(readField(table, field)));
    const isTrusted = hasTrustedEnergy(metrics, known);
    const isOwn = (column: string) => !has(column) && (column !== 'energy' || isTrusted);
    const fields = known.filter(({ column }) => isOwn(column));
    return new MetricsTable(file, metrics, { fields, isTrusted });
  }

  /** Whether the GPU is in a package with a CPU. */
  get isIntegrated(): boolean {
    return this.#metrics.isIntegrated;
  }

  /** `1.3`. */
  get version(): string {
    return this.#metrics.version;
  }

  read(values: Float64Array, at: number): void {
    const table = this.#file.read();
    const { version, layout } = this.#metrics;
    if (!isSameVersion(table, this.#metrics))
      throw new Error(
        `Cannot parse ${this.#file.path}: expected version ${version}, found ${table.length} bytes of another one`,
      );
    const { throttleStatus, residencies: counted } = layout;
    values.set(
      [
        ...this.#fields.map((field) => readField(table, field)),
        ...(throttleStatus === undefined ? [] : readThrottle(table, throttleStatus)),
        ...(counted === undefined ? [] : this.#growResidencies(readResidencies(table, counted))),
      ],
      at,
    );
  }

  close(): void {
    this.#file.close();
  }

  /** Seconds in which each reason reduced the clocks since the last reading: its share of all cycles. */
  #growResidencies(counts: readonly number[]): readonly number[] {
    const nowNs = process.hrtime.bigint();
    const seconds = Number(nowNs - this.#atNs) / 1e9;
    const [all = 0, ...growths] = counts.map(
      (count, i) => (count - (this.#counts[i] ?? count) + 2 ** 32) % 2 ** 32,
    );
    this.#counts = counts;
    this.#atNs = nowNs;
    return growths.map((growth) => (all > 0 && growth <= all ? (growth / all) * seconds : 0));
  }
}

/**
 * The unit of the energy counter is documented from version 1.4 on, and before that for accelerators, which
 * have stacked memory. The power of other cards is integrated.
 */
function hasTrustedEnergy({ version }: GpuMetrics, known: readonly Field[]): boolean {
  const isLate = Number(version.slice(2)) >= 4;
  return isLate || known.some(({ column }) => column.startsWith('temperature.hbm'));
}

function tryRead(file: KeptFile): Buffer | undefined {
  try {
    return file.read();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
