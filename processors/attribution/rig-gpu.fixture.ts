import type { Attributes, Metric, Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { gpuTime, processGpuTime } from '../../src/model/usage-metrics.js';
import { unixNs, type Rig, type RigProcess } from './rig.fixture.js';

/** A GPU of a rig, and its usage up to each scan. */
export class RigGpu {
  energy: Series;
  scanSeries: readonly Series[];
  readonly #rig: Rig;
  readonly #id: string;
  readonly #times = new Map<RigProcess, readonly Series[]>();
  #startS = 0;

  constructor(rig: Rig, id = 'GPU-1') {
    this.#rig = rig;
    this.#id = id;
    this.energy = rig.createMeter({ 'hw.type': 'gpu', 'hw.id': id });
    this.scanSeries = this.#createScans(0);
  }

  /** Starts new counters of everything. @returns the old ones */
  restart(startS: number): readonly Series[] {
    const old = [this.energy, ...this.scanSeries, ...[...this.#times.values()].flat()];
    this.#startS = startS;
    this.energy = { ...this.energy, start: unixNs(startS) };
    this.scanSeries = this.#createScans(startS);
    this.#times.clear();
    return old;
  }

  /** Ends the scans of its users. The next one starts a new counter. */
  endScans(atS: number): void {
    this.#rig.end(atS, ...this.scanSeries);
    this.scanSeries = this.#createScans(atS);
  }

  #createScans(startS: number): readonly Series[] {
    const attributes = { 'hw.type': 'gpu', 'hw.id': this.#id };
    return [{ metric: gpuTime, resource: this.energy.resource, attributes, start: unixNs(startS) }];
  }

  /** GPU seconds of processes and in total up to an instant, then the energy up to it. */
  scan(atS: number, used: readonly (readonly [RigProcess, number])[], total: number, joules: number): void {
    for (const [process, seconds] of used) {
      this.#rig.consume(createRow(this.seriesOf(process), unixNs(atS), Float64Array.of(seconds)));
    }
    this.#rig.consume(createRow(this.scanSeries, unixNs(atS), Float64Array.of(total)));
    this.#rig.energy(this.energy, atS, joules);
  }

  seriesOf(process: RigProcess): readonly Series[] {
    const attributes = { 'hw.id': this.#id, 'hw.gpu.task': 'general' };
    const known = this.#times.get(process) ?? [
      { metric: processGpuTime, resource: process.resource, attributes, start: unixNs(this.#startS) },
    ];
    this.#times.set(process, known);
    return known;
  }
}

/** A MIG instance of a rig, whose GPU time is a part of that of its GPU. */
export class RigInstance {
  readonly #rig: Rig;
  readonly #attributes: Attributes;
  readonly #series = new Map<RigProcess | undefined, readonly Series[]>();

  constructor(rig: Rig, id: string, parent: string) {
    this.#rig = rig;
    this.#attributes = { 'hw.id': id, 'hw.parent': parent };
  }

  scan(atS: number, process: RigProcess | undefined, used: number): void {
    const series = this.series(process);
    this.#rig.consume(
      createRow(
        series,
        unixNs(atS),
        Float64Array.from(series, () => used),
      ),
    );
  }

  series(process: RigProcess | undefined): readonly Series[] {
    const { resource } = process ?? this.#rig.createMeter();
    const create = (metric: Metric): Series => ({
      metric,
      resource,
      attributes: this.#attributes,
      start: unixNs(0),
    });
    const known = this.#series.get(process) ?? (process ? [processGpuTime, gpuTime] : [gpuTime]).map(create);
    this.#series.set(process, known);
    return known;
  }
}
