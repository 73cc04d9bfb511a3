import { BudgetedFile, type DescriptorBudget } from '../../src/linux/budgeted-file.js';
import type { Resource, Series } from '../../src/model/series.js';
import type { Slot, SlotScope } from './slots.js';

/** Converts a file of one cgroup to values. */
export interface FileParser {
  /** The name of the file. */
  readonly file: string;
  /** Series and values. Those of devices that were removed are taken out. */
  readonly slots: readonly Slot[];
  /** Whether a text has the same values as the last parsed one, for all series. If so, it need not be parsed. */
  isSame?(text: Buffer): boolean;
  /**
   * Parses the file.
   * @returns false if the text is not as expected
   */
  parse(text: Buffer, length: number, scope: SlotScope): boolean;
  /**
   * Takes the record of this cgroup from a pass over all cgroups: `cgroupField`.
   * @returns false if nothing has changed
   */
  takeRecord?(words: Uint32Array, at: number, scope: SlotScope): boolean;
  /** Called when the file could not be read. */
  miss?(): void;
  /** Closes other open resources. */
  close?(): void;
}

/** Options of the readers of one cgroup. */
export interface ReaderOptions {
  readonly folder: string;
  readonly resource: Resource;
  readonly budget: DescriptorBudget;
  /** When the cgroup was created, if that was observed: Unix time in nanoseconds. */
  readonly bornNs: bigint | undefined;
  /** Its ID in passes over all cgroups; undefined: passes do not include it. */
  readonly cgroupId?: number | undefined;
}

/** A pass over all cgroups. */
export interface CgroupPass {
  readonly words: Uint32Array;
  find(id: number): number | undefined;
}

/** The result of reading a file. `same`: unchanged; `absent`: the cgroup has no such file, or no longer exists. */
export type Outcome = 'read' | 'same' | 'failed' | 'absent';

// A line of io.stat has about 100 bytes: this has room for 600 block devices.
const buffer = Buffer.allocUnsafeSlow(64 * 1024);
const newline = 0x0a;

/** Reads one file of a cgroup repeatedly. */
export class FileReader {
  readonly #file: BudgetedFile;
  readonly #parser: FileParser;
  readonly #scope: SlotScope;
  readonly #cgroupId: number | undefined;
  #hasFailed = false;
  /** Whether the next reading can be compared with an earlier one, whose series have not ended. */
  #canBeSame = false;
  #isAbsent = false;

  constructor(parser: FileParser, { folder, resource, budget, bornNs, cgroupId }: ReaderOptions) {
    this.#file = new BudgetedFile(`${folder}/${parser.file}`, budget);
    this.#parser = parser;
    this.#cgroupId = parser.takeRecord && cgroupId;
    this.#scope = { resource, nowNs: 0n, zeroAtNs: bornNs, isChanged: false, ended: [] };
  }

  /** The name of the file. */
  get name(): string {
    return this.#parser.file;
  }

  get path(): string {
    return this.#file.path;
  }

  /** Whether the file or the cgroup does not exist. Then the series have ended and the file is closed. */
  get isAbsent(): boolean {
    return this.#isAbsent;
  }

  /** Tries to read an absent file again. Its previous counts are unknown. */
  retry(): void {
    if (!this.#isAbsent) return;
    this.#isAbsent = false;
    this.#scope.zeroAtNs = undefined;
  }

  /** Why the last read failed. */
  get problem(): string {
    return this.#file.errorCode ?? 'its text is not what was expected';
  }

  /** The number of values. */
  get width(): number {
    return this.#parser.slots.reduce((sum, { values }) => sum + values.length, 0);
  }

  get slots(): readonly Slot[] {
    return this.#parser.slots;
  }

  /** The file descriptor for batches; undefined: the file is not kept open. */
  get fd(): number | undefined {
    return this.#file.fd;
  }

  /** Reads the file. @param nowNs Unix time in nanoseconds */
  read(nowNs: bigint): Outcome {
    const length = this.#file.read(buffer);
    return typeof length === 'number' ? this.take(buffer, length, nowNs) : this.#miss(length);
  }

  /** Parses text that was read in a batch. @param nowNs Unix time in nanoseconds */
  take(text: Buffer, length: number, nowNs: bigint): Outcome {
    const scope = this.#scope;
    // Bytes left over from a longer file must not extend the last number.
    if (length < text.length) text[length] = 0;
    const isTorn = length > 0 && length < text.length && text[length - 1] !== newline;
    if (!isTorn && this.#canBeSame && this.#parser.isSame?.(text) === true) {
      scope.zeroAtNs = nowNs;
      return 'same';
    }
    scope.nowNs = nowNs;
    this.#hasFailed = isTorn || !this.#parser.parse(text, length, scope);
    if (isTorn) this.#parser.miss?.();
    this.#canBeSame = !this.#hasFailed;
    if (!this.#hasFailed) scope.zeroAtNs = nowNs;
    return this.#hasFailed ? 'failed' : 'read';
  }

  /**
   * Takes the values of its cgroup from a pass.
   * @param nowNs Unix time in nanoseconds
   * @returns undefined if the pass does not have them: the file must be read
   */
  takeFrom(pass: CgroupPass, nowNs: bigint): Outcome | undefined {
    const at = this.#cgroupId === undefined ? undefined : pass.find(this.#cgroupId);
    if (at === undefined) return undefined;
    const scope = this.#scope;
    scope.nowNs = nowNs;
    const isNew = this.#parser.takeRecord?.(pass.words, at, scope) === true || this.#hasFailed;
    this.#hasFailed = false;
    this.#canBeSame = true;
    scope.zeroAtNs = nowNs;
    return isNew ? 'read' : 'same';
  }

  #miss(result: 'gone' | 'failed'): Outcome {
    this.#hasFailed = true;
    this.#canBeSame = false;
    this.#parser.miss?.();
    if (result === 'failed') return 'failed';
    this.#isAbsent = true;
    this.close();
    for (const slot of this.#parser.slots) slot.end(this.#scope);
    return 'absent';
  }

  /** Whether its series have changed since the last call. */
  takeChange(): boolean {
    const { isChanged } = this.#scope;
    this.#scope.isChanged = false;
    return isChanged;
  }

  /** Moves the series that ended since the last call. */
  takeEnded(into: Series[]): void {
    const { ended } = this.#scope;
    if (ended.length === 0) return;
    into.push(...ended);
    ended.length = 0;
  }

  /** Ends its series. Later readings start new ones. */
  end(into: Series[]): void {
    this.#scope.zeroAtNs = undefined;
    this.#canBeSame = false;
    for (const slot of this.#parser.slots) slot.end(this.#scope);
    this.takeEnded(into);
  }

  /** Writes its values. @returns the index behind them */
  write(row: Float64Array, from: number): number {
    let at = from;
    for (const { values } of this.#parser.slots) {
      if (this.#hasFailed) row.fill(NaN, at, at + values.length);
      else for (let i = 0; i < values.length; i++) row[at + i] = values[i];
      at += values.length;
    }
    return at;
  }

  close(): void {
    this.#file.close();
    this.#parser.close?.();
  }
}
