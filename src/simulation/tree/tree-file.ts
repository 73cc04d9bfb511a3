import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/**
 * A file that is written repeatedly. Readers keep descriptors of the kernel's files and read them from the
 * start, so it stays the same file, and each new text goes in with one write: a read gives the old or the new
 * one. A text that gets shorter is cut off first, so that a read in between gives a part of the old one, never
 * a mixture.
 */
export class TreeFile {
  readonly #fd: number;
  #text = '';

  constructor(path: string, mode = 0o644) {
    this.#fd = openSync(path, 'wx', mode);
  }

  write(text: string): void {
    if (text === this.#text) return;
    if (text.length < this.#text.length) ftruncateSync(this.#fd, text.length);
    if (text.length > 0) writeSync(this.#fd, text, 0);
    this.#text = text;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Writes files that do not change, by their paths below a folder. Folders are made as they are needed. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = `${folder}/${name}`;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** Makes symbolic links, by their paths below a folder. */
export function writeLinks(folder: string, links: Readonly<Record<string, string>>): void {
  for (const [name, target] of Object.entries(links)) {
    const path = `${folder}/${name}`;
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  }
}
