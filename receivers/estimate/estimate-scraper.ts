import type { Context } from '../../src/component/component.js';
import { describeEstimate, type SourcedModel } from '../../src/energy/power-models.js';
import { KeptFile } from '../../src/linux/kept-file.js';
import { parseCpuTimes } from '../../src/linux/procfs.js';
import type { Series } from '../../src/model/series.js';
import { floorPower, hostEnergy } from '../../src/model/shared-metrics.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import type { Scraper } from '../../src/scraping/scrape-loop.js';
import type { Config } from './config.js';
import { createPowerModel, EstimatedEnergy } from './estimated-energy.js';

const attributes = describeEstimate('host', 'host', 'Host');

/** Reads `/proc/stat` and computes energy from it with the model. */
export class EstimateScraper implements Scraper {
  readonly #config: Config;
  readonly #context: Context;
  readonly #stat: KeptFile;
  #energy: EstimatedEnergy;
  #series: readonly Series[] = [];
  #breaks: number | undefined;

  constructor(config: Config, context: Context) {
    this.#config = config;
    this.#context = context;
    this.#stat = new KeptFile(`${config.procfs}/stat`);
    this.#energy = this.#createEnergy();
  }

  /**
   * The current model of the machine.
   * @throws Error if `/proc/stat` cannot be read or parsed
   */
  readModel(): { readonly model: SourcedModel; readonly cpus: number } {
    const cpus = parseCpuTimes(this.#stat.read()).byCpu.size;
    return { model: createPowerModel(this.#config, cpus), cpus };
  }

  *scrape(breaks: number): Iterable<Table> {
    if (breaks !== this.#breaks && this.#series.length > 0) yield this.#restart();
    this.#breaks = breaks;
    const { clock, host: resource } = this.#context;
    const wallNs = clock.wallNs();
    const monotonicNs = clock.monotonicNs();
    const { joules, idleWatts } = this.#energy.update(parseCpuTimes(this.#stat.read()), monotonicNs);
    if (this.#series.length === 0) {
      this.#series = [hostEnergy, floorPower].map((metric) => ({
        metric,
        resource,
        attributes,
        start: wallNs,
      }));
    }
    yield createRow(this.#series, wallNs, Float64Array.of(joules, idleWatts));
  }

  close(): void {
    this.#stat.close();
  }

  #restart(): Table {
    const ended = this.#series;
    this.#series = [];
    this.#energy = this.#createEnergy();
    return createEnding(ended, this.#context.clock.wallNs());
  }

  #createEnergy(): EstimatedEnergy {
    return new EstimatedEnergy((cpus) => createPowerModel(this.#config, cpus));
  }
}
