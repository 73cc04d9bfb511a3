import type { Context } from '../../src/component/component.js';
import { describeError } from '../../src/errors.js';
import { DescriptorBudget } from '../../src/linux/budgeted-file.js';
import type { Hierarchy } from '../../src/linux/cgroup/hierarchies.js';
import { CgroupTree, type CgroupFolder, type TreeChanges } from '../../src/linux/cgroup/tree.js';
import type { CpuPackages } from '../../src/linux/cpu-packages.js';
import { openFolderWatch } from '../../src/linux/inotify.js';
import { findFirstReservedFd, readDescriptorLimit } from '../../src/linux/privileges.js';
import { ReadBatch } from '../../src/linux/read-batch.js';
import { runInSlices } from '../../src/linux/slices.js';
import { LoggedCauses } from '../../src/logged-causes.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, type Table } from '../../src/model/table.js';
import { createNameFilter } from '../../src/scraping/lines.js';
import type { Scraper } from '../../src/scraping/scrape-loop.js';
import { partCapacity } from './cgroup-part.js';
import type { Config } from './config.js';
import type { FileReader } from './file-reader.js';
import { DeviceNames } from './io-files.js';
import { ScanTelemetry } from './telemetry.js';
import { TrackedCgroups } from './tracked-cgroups.js';
import type { UnifiedUsage } from './unified-usage.js';

/** Options of a scraper that are not settings. */
export interface ScraperContext extends Pick<Context, 'clock' | 'log' | 'host' | 'meter' | 'id'> {
  readonly hierarchies: readonly Hierarchy[];
  /** The packages by which CPU time is divided, on a machine with more than one. */
  readonly packages?: CpuPackages | undefined;
  /** Reads the CPU time of all version 2 cgroups in one call; closed with the scraper. */
  readonly usage?: UnifiedUsage | undefined;
}

interface Scan {
  /** A change means that all series must end and restart. */
  readonly breaks: number;
  /** Unix time in nanoseconds at which the scan began. */
  readonly nowNs: bigint;
  readonly isThorough: boolean;
}

/**
 * How often all files are checked, regardless of inotify, which does not report the files that an enabled
 * controller adds.
 */
const thoroughAfterMs = 60_000;

/** The kernel needs 4 KiB for each open file. Files beyond 16 MiB are opened for each reading. */
const maxKeptFiles = 4096;

/**
 * Scans all cgroups. Their CPU time is read first, all of it at once, so that attribution can compare it with
 * that of the processes, which is read immediately afterwards (docs/ledger.md, Usage).
 */
export class CgroupScraper implements Scraper {
  readonly #context: ScraperContext;
  readonly #tree: CgroupTree;
  readonly #isWanted: (path: string) => boolean;
  readonly #budget = new DescriptorBudget(
    Math.min(maxKeptFiles, Math.floor(readDescriptorLimit() / 4)),
    findFirstReservedFd(),
  );
  readonly #cgroups: TrackedCgroups;
  readonly #isHybrid: boolean;
  readonly #batch = ReadBatch.open(partCapacity);
  readonly #telemetry: ScanTelemetry;
  readonly #thoroughAfter: number;
  readonly #detailsAfter: number;
  readonly #reported = new Set<string>();
  readonly #causes = new LoggedCauses();
  #hasRunOut = false;
  #missing = 0;
  #scans = 0;
  #breaks: number | undefined;
  /** Time of the previous scan, if the rows of this scan continue its series. */
  #previousNs: bigint | undefined;

  constructor(config: Config, context: ScraperContext) {
    this.#context = context;
    const { collection_interval: intervalMs, details_interval: detailsMs, metrics, sysfs } = config;
    this.#isWanted = createNameFilter(config);
    this.#isHybrid = new Set(context.hierarchies.map(({ version }) => version)).size > 1;
    this.#thoroughAfter = Math.max(1, Math.round(thoroughAfterMs / intervalMs));
    this.#detailsAfter = Math.max(1, Math.round(detailsMs / intervalMs));
    this.#tree = this.#createTree(config);
    this.#telemetry = new ScanTelemetry(context, this.#tree);
    this.#cgroups = new TrackedCgroups({
      metrics,
      host: context.host,
      clock: context.clock,
      batch: this.#batch,
      usage: context.usage,
      budget: this.#budget,
      devices: new DeviceNames(sysfs),
      packages: context.packages,
      onFailure: (reader) => this.#noteFailure(reader),
    });
  }

  async scrape(breaks: number): Promise<Iterable<Table | undefined>> {
    const nowNs = this.#context.clock.wallNs();
    const isThorough = this.#scans % this.#thoroughAfter === 0;
    if (isThorough) this.#context.packages?.refresh();
    const changes = await this.#tree.update(isThorough);
    this.#telemetry.count(changes);
    const ended: Series[] = [];
    await runInSlices(this.#arrange(changes, { breaks, nowNs, isThorough }, ended));
    this.#previousNs = nowNs;
    this.#scans += 1;
    return this.#read(ended, nowNs);
  }

  takeMissing(): number {
    const missing = this.#missing;
    this.#missing = 0;
    return missing;
  }

  close(): void {
    this.#telemetry.close();
    this.#cgroups.close();
    this.#batch?.close();
    this.#context.usage?.close();
    this.#tree.close();
  }

  *#read(ended: readonly Series[], nowNs: bigint): Iterable<Table | undefined> {
    if (ended.length > 0) yield createEnding(ended, nowNs);
    this.#readUsage();
    yield* this.#cgroups.readCpu();
    yield* this.#cgroups.readDetails(this.#scans, this.#detailsAfter);
    this.#noteExhaustion();
  }

  /** If this fails, the files are read instead. */
  #readUsage(): void {
    const { usage, clock, log } = this.#context;
    try {
      usage?.read(() => clock.wallNs());
    } catch (error) {
      if (this.#causes.add(describeError(error)))
        log.warn(`Cannot read cgroups by eBPF: ${describeError(error)}; their files are read`);
      return;
    }
    if (this.#causes.clear()) log.info('Cgroups can be read by eBPF again');
  }

  *#arrange(
    { born, gone }: TreeChanges,
    { breaks, nowNs, isThorough }: Scan,
    ended: Series[],
  ): Generator<void> {
    if (breaks !== this.#breaks) {
      yield* this.#cgroups.endSeries(ended);
      this.#previousNs = undefined;
      this.#breaks = breaks;
    }
    for (const folder of gone) {
      this.#context.usage?.remove(folder);
      this.#cgroups.remove(folder, ended);
      yield;
    }
    for (const folder of born) {
      this.#context.usage?.add(folder);
      if (!this.#isWanted(folder.path)) continue;
      this.#cgroups.add({ folder, bornNs: this.#findBirth(folder, nowNs) }, ended);
      yield;
    }
    if (born.size > 0 && this.#isHybrid) this.#cgroups.settle(ended);
    if (isThorough && this.#scans > 0) yield* this.#cgroups.refresh();
  }

  /** A cgroup created since the previous scan counts from its creation; an older one counts from now. */
  #findBirth({ isBorn, firstSeenMs }: CgroupFolder, nowNs: bigint): bigint | undefined {
    const previousNs = this.#previousNs;
    if (!isBorn || previousNs === undefined) return undefined;
    const seenNs = BigInt(Math.round(firstSeenMs * 1000)) * 1000n;
    return seenNs > previousNs && seenNs < nowNs ? seenNs : previousNs;
  }

  #createTree(config: Config): CgroupTree {
    const { hierarchies, log } = this.#context;
    const onUnwatched = (problem: string) => log.warn(`${problem}; every scan searches the whole tree`);
    const watch = openFolderWatch(onUnwatched);
    const maxDepth = config.max_depth === 0 ? Infinity : config.max_depth;
    return new CgroupTree({ hierarchies, maxDepth, watch, onUnwatched });
  }

  /** Files that fail with the same problem are logged once. */
  #noteFailure({ name, path, problem, width }: FileReader): void {
    this.#missing += Math.max(1, width);
    if (problem === 'EMFILE' || problem === 'ENFILE') return;
    const key = `${name} ${problem}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    this.#context.log.warn(
      `Cannot read ${path}: ${problem}; it is left out until it can be read, as are the same files of other cgroups`,
    );
  }

  #noteExhaustion(): void {
    const error = this.#budget.takeExhaustion();
    const hasRunOut = error !== undefined;
    if (hasRunOut === this.#hasRunOut) return;
    this.#hasRunOut = hasRunOut;
    const { log } = this.#context;
    if (hasRunOut) log.warn(`Cannot read all cgroups: ${describeError(error)}`);
    else log.info('Descriptors are free again: every cgroup can be read');
  }
}
