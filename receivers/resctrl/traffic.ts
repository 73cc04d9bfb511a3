import type { KeptFile } from '../../src/linux/kept-file.js';
import { findOrAdd } from '../../src/model/plan.js';
import type { Metric } from '../../src/model/series.js';
import { localMemoryTraffic, memoryTraffic } from '../../src/model/usage-metrics.js';
import type { CounterColumn, CounterTable } from '../../src/scraping/counter-table.js';
import { Counts } from '../../src/scraping/counts.js';
import { createAbsence } from '../../src/scraping/file-gauges.js';
import type { DescribeSource, Source } from '../../src/scraping/source.js';
import type { GroupCache, Groups } from './groups.js';

/** The metrics of the counter files, in bytes. */
const files: Readonly<Record<string, Metric>> = {
  mbm_total_bytes: memoryTraffic,
  mbm_local_bytes: localMemoryTraffic,
};

/** Memory traffic of each group, in bytes. */
export function describeTraffic(groups: Groups): DescribeSource {
  return (source) => {
    const traffic = new Traffic(source);
    return function* (at) {
      traffic.follow(groups);
      if (!traffic.wasThere) throw createAbsence(groups.name);
      traffic.begin(at);
      yield* source.readInSteps(traffic.parts);
      return [traffic.finish()];
    };
  };
}

class Traffic {
  wasThere = false;
  parts: readonly (() => void)[] = [];
  readonly #source: Source;
  readonly #counters: CounterTable;
  readonly #columns = new Map<string, readonly CounterColumn[]>();
  readonly #counts = new Counts(1);
  #files = new Map<string, KeptFile>();
  #version: string | undefined;

  constructor(source: Source) {
    this.#source = source;
    this.#counters = source.counters((path) => this.#columns.get(path));
  }

  follow(groups: Groups): void {
    const version = groups.follow(this.#source);
    if (version === this.#version) return;
    this.#version = version;
    const before = this.#files;
    this.#files = new Map();
    this.#columns.clear();
    const caches = groups.all.flatMap((group) => group.caches);
    this.wasThere ||= caches.length > 0;
    this.parts = caches.flatMap((cache) => Object.entries(files).map((one) => this.#open(cache, one)));
    for (const path of before.keys()) if (!this.#files.has(path)) this.#source.forget(path);
  }

  begin(at: bigint): void {
    this.#counters.begin(at);
  }

  finish() {
    return this.#counters.finish();
  }

  #open({ folder, attributes }: GroupCache, [name, metric]: readonly [string, Metric]): () => void {
    const path = `${folder}/${name}`;
    this.#columns.set(path, [{ metric, attributes, perUnit: 1 }]);
    const file = findOrAdd(this.#files, path, () => this.#source.file(path));
    return () => this.#read(file);
  }

  /** A counter without a value ends: the traffic until it has a value again is unknown. */
  #read(file: KeptFile): void {
    const text = file.read();
    const end = this.#counts.parseOne(0, text, 0);
    if (end === text.length - 1) this.#counters.add(file.path, this.#counts);
    else if (!isWithoutValue(text)) throw createParseError(file, text);
  }
}

/**
 * The kernel's text instead of a count: the hardware is not counting this group at present, or no counter is
 * assigned to it. "Error" is different.
 */
export function isWithoutValue(text: Buffer): boolean {
  return ['Unavailable\n', 'Unassigned\n'].includes(text.toString('latin1'));
}

export function createParseError({ path }: KeptFile, text: Buffer): Error {
  return new Error(`Cannot parse ${path}: expected bytes, found "${text.toString('latin1').trim()}"`);
}
