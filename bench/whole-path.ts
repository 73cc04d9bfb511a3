import { factory } from '../processors/attribution/factory.js';
import type { Consumer } from '../src/component/consumer.js';
import { createFakeContext } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { countPoints, type Table } from '../src/model/table.js';
import { Batcher } from '../src/otlp/batcher.js';
import { median, type Benchmark, type Result } from './benchmark.js';
import { createTables, type Load } from './load-tables.js';

const minPointsPerSecond = 3e6;
const rounds = 5;

interface ConfiguredLoad extends Load {
  readonly config: Readonly<Record<string, unknown>>;
}

const loads: readonly ConfiguredLoad[] = [
  { what: 'RAPL at 10 kHz', energyRows: 1000, processes: 0, config: {} },
  { what: 'RAPL at 10 kHz, 300 processes at 10 Hz', energyRows: 1000, processes: 300, config: {} },
  { what: '1000 processes at 10 Hz', energyRows: 1, processes: 1000, config: {} },
  {
    what: '1000 processes at 10 Hz, all of them exported',
    energyRows: 1,
    processes: 1000,
    config: { process_limit: 0 },
  },
];

/**
 * From the tables of receivers, through attribution, to encoded requests: receiver points per second of CPU
 * time. By default attribution forwards the series of the processes that used the most energy, and adds the
 * energy of groups.
 */
export const wholePath: Benchmark = {
  name: 'whole-path',
  async measure() {
    const results: Result[] = [];
    for (const load of loads) results.push(await measureLoad(load));
    return results;
  },
};

async function measureLoad(load: ConfiguredLoad): Promise<Result> {
  const tables = createTables(load);
  const rates: number[] = [];
  // The first run warms up the compiler.
  for (let round = 0; round <= rounds; round += 1) {
    const rate = await run(tables, load.config);
    if (round > 0) rates.push(rate);
  }
  const ours = median(rates);
  return {
    what: `Attribute and encode: ${load.what}`,
    unit: 'points/s',
    ours,
    reference: undefined,
    ratio: undefined,
    budget: 'at least 3,000,000',
    met: ours >= minPointsPerSecond,
  };
}

async function run(tables: readonly Table[], config: ConfiguredLoad['config']): Promise<number> {
  const batcher = new Batcher({ maxPoints: 8192, maxBytes: 3.5 * 2 ** 20 }, ({ release }) => release?.());
  const exporter: Consumer = {
    consume(table) {
      batcher.add(table);
      return true;
    },
  };
  const attribution = factory.create(parseSettings(factory.schema, config), createFakeContext(), exporter);
  await attribution.start();
  const before = process.cpuUsage();
  for (const table of tables) attribution.consume(table);
  batcher.flush();
  const { user, system } = process.cpuUsage(before);
  await attribution.shutdown();
  const points = tables.reduce((sum, table) => sum + countPoints(table), 0);
  return points / ((user + system) / 1e6);
}
