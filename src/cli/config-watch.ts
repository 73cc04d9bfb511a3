import { lstatSync, readFileSync, readlinkSync, watch, type FSWatcher } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { describeError } from '../errors.js';

/** Editors write a file in several steps: a change counts once the content is the same twice, this far apart. */
const settledMs = 250;
/** An invalid file gets this much more time: it may still be being written or copied. */
const patienceMs = 2000;
/** The kernel's limit. */
const maxLinks = 40;

export interface WatchOptions {
  /** Paths of configuration files. */
  readonly files: readonly string[];
  /** Their content by `readContents` before the running configuration was read; changes since then are reported. */
  readonly content: string;
  /** Whether the files are currently valid. */
  isValid(): Promise<boolean>;
  /** Called when the content of a file has changed and is stable. */
  onChange(): void;
  /** Called when a folder cannot be watched. */
  onProblem(problem: string): void;
}

/**
 * Watches the content of files. Folders are watched, since editors replace files by renaming, and Kubernetes
 * swaps a symbolic link on the path.
 */
export class ConfigWatch {
  readonly #options: WatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #reported: string;
  #seen: string;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#seen = this.#reported = options.content;
    this.#watchFolders();
    this.#lookLater(settledMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watchFolders(): void {
    const folders = new Set(this.#options.files.flatMap((file) => listFolders(resolve(file))));
    for (const [folder, watcher] of this.#watchers) if (!folders.has(folder)) this.#drop(folder, watcher);
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watchFolder(folder);
  }

  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookLater(settledMs));
      watcher.on('error', () => {
        this.#drop(folder, watcher);
        this.#lookLater(settledMs);
      });
      this.#watchers.set(folder, watcher);
    } catch (error) {
      this.#options.onProblem(`Cannot watch ${folder}: ${describeError(error)}`);
    }
  }

  #drop(folder: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(folder) === watcher) this.#watchers.delete(folder);
  }

  /** Not postponed by further events: other files of the folder may change all the time. */
  #lookLater(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, ms).unref();
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    this.#watchFolders();
    const content = readContents(this.#options.files);
    if (content === this.#reported) {
      this.#seen = content;
      return;
    }
    const isSettled = content === this.#seen;
    this.#seen = content;
    if (!isSettled) return this.#lookLater(settledMs);
    if (this.#patient !== content && !(await this.#options.isValid())) {
      this.#patient = content;
      return this.#lookLater(patienceMs);
    }
    this.#reported = content;
    this.#options.onChange();
  }

  /** The invalid content that gets more time. */
  #patient: string | undefined;
}

/** The content of files as one text; an unreadable file is represented by its error. */
export function readContents(files: readonly string[]): string {
  return files.map(readContent).join('\0');
}

function readContent(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return describeError(error);
  }
}

/**
 * The folders in which a change can make a path point to another file: its own, and those of all symbolic links
 * on the way.
 */
export function listFolders(path: string, links = 0): readonly string[] {
  let at: string = sep;
  const parts = path.split(sep).filter((part) => part !== '');
  for (const [i, part] of parts.entries()) {
    const target = readLink(join(at, part));
    if (target !== undefined && links < maxLinks) {
      const next = resolve(at, target, ...parts.slice(i + 1));
      return [at, ...listFolders(next, links + 1)];
    }
    at = join(at, part);
  }
  return [dirname(path)];
}

function readLink(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    // It does not exist at present.
    return undefined;
  }
}
