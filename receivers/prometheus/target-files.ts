import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import type { Log } from '../../src/component/log.js';
import { describeError } from '../../src/errors.js';
import { readFileStamp, readRegularText } from '../../src/linux/regular-file.js';

/** Targets with the same labels. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

interface TargetFile {
  stamp: string;
  groups: readonly TargetGroup[];
}

/** The target files of one `file_sd_configs`. A file that becomes invalid keeps its previous targets. */
export class TargetFiles {
  readonly #patterns: readonly string[];
  readonly #log: Log;
  readonly #files = new Map<string, TargetFile>();
  /** Patterns that match no file. */
  readonly #unmatched = new Set<string>();

  constructor(patterns: readonly string[], log: Log) {
    this.#patterns = patterns;
    this.#log = log;
  }

  /** Reads changed files. */
  read(): readonly TargetGroup[] {
    const paths = new Set(this.#patterns.flatMap((pattern) => this.#findPaths(pattern)));
    for (const path of this.#files.keys()) if (!paths.has(path)) this.#files.delete(path);
    return [...paths].flatMap((path) => this.#readFile(path));
  }

  #findPaths(pattern: string): readonly string[] {
    const paths = findPaths(pattern);
    if (paths.length === 0 && !this.#unmatched.has(pattern)) {
      this.#log.warn(`Cannot find files of targets: expected one at "${pattern}", found none`);
      this.#unmatched.add(pattern);
    } else if (paths.length > 0) this.#unmatched.delete(pattern);
    return paths;
  }

  #readFile(path: string): readonly TargetGroup[] {
    const known = this.#files.get(path);
    const stamp = readFileStamp(path);
    if (known?.stamp === stamp) return known.groups;
    const file = { stamp, groups: known?.groups ?? [] };
    this.#files.set(path, file);
    try {
      file.groups = parseGroups(readRegularText(path)).map(({ targets, labels }) => ({
        targets,
        labels: { ...labels, __meta_filepath: path },
      }));
    } catch (error) {
      this.#log.warn(`Cannot read targets from "${path}": ${describeError(error)}; using the previous ones`);
    }
    return file.groups;
  }
}

function findPaths(pattern: string): readonly string[] {
  if (!pattern.includes('*')) return readFileStamp(pattern) === 'none' ? [] : [pattern];
  const folder = dirname(pattern);
  const parts = pattern.slice(folder === '.' && !pattern.startsWith('./') ? 0 : folder.length + 1).split('*');
  const source = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/gu, String.raw`\$&`)).join('.*');
  try {
    const names = readdirSync(folder).filter((name) => new RegExp(`^${source}$`, 'u').test(name));
    return names.toSorted().map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/**
 * Parses a target file: a list of `targets` with `labels`, in YAML or JSON.
 * @throws Error if it has another format
 */
export function parseGroups(text: string): readonly TargetGroup[] {
  const content: unknown = parse(text) ?? [];
  if (!Array.isArray(content)) throw mismatch('a list', content);
  return content.map((group: unknown) => {
    if (!isMap(group)) throw mismatch('a map with targets', group);
    const { targets = [], labels = {} } = group;
    if (!Array.isArray(targets) || !targets.every((target) => typeof target === 'string'))
      throw mismatch('targets to be a list of texts', targets);
    if (!isMap(labels ?? {})) throw mismatch('labels to be a map', labels);
    const entries = Object.entries(labels ?? {}).map(([label, value]) => [label, String(value)]);
    return { targets, labels: Object.fromEntries(entries) };
  });
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mismatch(expected: string, found: unknown): Error {
  return new Error(`expected ${expected}, found ${JSON.stringify(found)?.slice(0, 80)}`);
}
