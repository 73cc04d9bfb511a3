import { describeError } from '../../src/errors.js';
import type { CardReader } from '../../src/gpu/card-reader.js';
import type { CardKind } from '../../src/gpu/card-session.js';
import { findCards, isSuspended, type Card } from '../../src/gpu/cards.js';
import type { Note } from '../../src/gpu/protocol.js';
import { AmdSmi } from './amd-smi.js';
import { family } from './config.js';
import { openCard } from './open-card.js';

/** Default libraries: those of ROCm 7, 6.4 and 6.1 to 6.3, and of a development installation of ROCm. */
const standardLibraries = [
  'libamd_smi.so.26',
  'libamd_smi.so.25',
  'libamd_smi.so.24',
  '/opt/rocm/lib/libamd_smi.so',
];

export interface AmdOptions {
  readonly sysfs: string;
  /** A file name or a path; `auto` or `none`. */
  readonly library: string;
}

/** The cards of amdgpu in AMD SMI and sysfs. */
export class AmdCards implements CardKind {
  readonly vendor = family.vendor;
  readonly drivers = family.drivers;
  readonly #options: AmdOptions;
  /** Undefined: not searched yet; null: none. */
  #smi: AmdSmi | null | undefined;
  #notes: Note[] = [];

  constructor(options: AmdOptions) {
    this.#options = options;
  }

  open(card: Card): CardReader {
    if (this.#smi === undefined) this.#smi = this.#openLibrary();
    return openCard(card, this.#smi?.bind(card.address) ?? []);
  }

  takeNotes(): readonly Note[] {
    return this.#notes.splice(0);
  }

  close(): void {
    this.#smi?.close();
    this.#smi = undefined;
  }

  #openLibrary(): AmdSmi | null {
    const { library, sysfs } = this.#options;
    if (library === 'none') return null;
    // The library opens every GPU, which wakes it up.
    if (findCards(sysfs, this.drivers).some(isSuspended)) return this.#miss('debug', 'a GPU is switched off');
    if (library !== 'auto') return this.#tryLibrary(library, 'warn');
    for (const path of standardLibraries) {
      const found = this.#tryLibrary(path, 'debug');
      if (found) return found;
    }
    return null;
  }

  #tryLibrary(path: string, level: Note['level']): AmdSmi | null {
    try {
      const smi = new AmdSmi(path);
      this.#notes.push({
        level: 'info',
        text: `Reading GPUs by AMD SMI ${smi.version}, and by sysfs what it lacks`,
      });
      return smi;
    } catch (error) {
      return this.#miss(level, describeError(error));
    }
  }

  #miss(level: Note['level'], reason: string): null {
    this.#notes.push({ level, text: `Reading GPUs by sysfs only: ${reason}` });
    return null;
  }
}
