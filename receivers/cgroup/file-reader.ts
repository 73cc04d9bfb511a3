import { BudgetedFile, type DescriptorBudget } from '../../src/linux/budgeted-file.js';
import type { Resource, Series } from '../../src/model/series.js';
import type { Slot, SlotScope } from './slots.js';

/** What the files of one cgroup become. */
export interface FileParser {
  /** The name of the file. */
  readonly file: string;
  /** Series and values; what comes later is added at the end. */
  readonly slots: readonly Slot[];
  /** Whether a text has the values of the last one that was taken, in all that becomes a series: it need not be taken. */
  isSame?(text: Buffer): boolean;
  /**
   * Takes the text of the file.
   * @returns false when it is not what was expected
   */
  parse(text: Buffer, length: number, scope: SlotScope): boolean;
  /**
   * Takes what a pass over all cgroups has of this one: `cgroupField`.
   * @returns false when that is what it had before
   */
  takeRecord?(words: Uint32Array, at: number, scope: SlotScope): boolean;
  /** Called when the file could not be read. */
  miss?(): void;
  /** Closes what else it has open. */
  close?(): void;
}

/** Where the readers of one cgroup read. */
export interface ReaderOptions {
  readonly folder: string;
  readonly resource: Resource;
  readonly budget: DescriptorBudget;
  /** When the cgroup was made, if that was seen: Unix time in nanoseconds. */
  readonly bornNs: bigint | undefined;
  /** Its number in passes over all cgroups; undefined: they do not have it. */
  readonly cgroupId?: number | undefined;
}

/** A pass over all cgroups. */
export interface CgroupPass {
  readonly words: Uint32Array;
  find(id: number): number | undefined;
}

/** What came of reading a file. `same`: as before; `absent`: the cgroup has no such file, or is no more. */
export type Outcome = 'read' | 'same' | 'failed' | 'absent';

// A line of io.stat has 100 bytes: room for 600 block devices.
const buffer = Buffer.allocUnsafeSlow(64 * 1024);
const newline = 0x0a;

/** Reads one file of a cgroup again and again. */
export class FileReader {
  readonly #file: BudgetedFile;
  readonly #parser: FileParser;
  readonly #scope: SlotScope;
  readonly #cgroupId: number | undefined;
  #hasFailed = false;
  /** Whether there is a reading with which the next one can be compared, of series that have not ended since. */
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

  /** Whether the cgroup has no such file, or is no more: then its series have ended and it is closed. */
  get isAbsent(): boolean {
    return this.#isAbsent;
  }

  /** Tries it again, if it was absent: what it counted before is not known. */
  retry(): void {
    if (!this.#isAbsent) return;
    this.#isAbsent = false;
    this.#scope.zeroAtNs = undefined;
  }

  /** Why the last read failed. */
  get problem(): string {
    return this.#file.errorCode ?? 'its text is not what was expected';
  }

  /** How many values it has. */
  get width(): number {
    return this.#parser.slots.reduce((sum, { values }) => sum + values.length, 0);
  }

  get slots(): readonly Slot[] {
    return this.#parser.slots;
  }

  /** The descriptor through which it can be read, if one is kept open. */
  get fd(): number | undefined {
    return this.#file.fd;
  }

  /** Reads now. @param nowNs Unix time in nanoseconds */
  read(nowNs: bigint): Outcome {
    const length = this.#file.read(buffer);
    return typeof length === 'number' ? this.take(buffer, length, nowNs) : this.#miss(length);
  }

  /** Takes what was just read. @param nowNs Unix time in nanoseconds */
  take(text: Buffer, length: number, nowNs: bigint): Outcome {
    const scope = this.#scope;
    // What the last file left behind must not continue a number.
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
   * Takes what a pass has of its cgroup.
   * @param nowNs Unix time in nanoseconds
   * @returns undefined when it has nothing: the file is to be read
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

  /** Whether its series changed since the last call. */
  takeChange(): boolean {
    const { isChanged } = this.#scope;
    this.#scope.isChanged = false;
    return isChanged;
  }

  /** Series that have no further row, since the last call. */
  takeEnded(into: Series[]): void {
    const { ended } = this.#scope;
    if (ended.length === 0) return;
    into.push(...ended);
    ended.length = 0;
  }

  /** Ends its series; what is read from now on does not connect with what was read before. */
  end(into: Series[]): void {
    this.#scope.zeroAtNs = undefined;
    this.#canBeSame = false;
    for (const slot of this.#parser.slots) slot.end(this.#scope);
    this.takeEnded(into);
  }

  /** Writes its values. @returns where those of the next reader begin */
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
