import { factory } from '../processors/attribution/factory.js';
import type { Consumer } from '../src/component/consumer.js';
import { createFakeContext } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import type { Table } from '../src/model/table.js';
import { Batcher } from '../src/otlp/batcher.js';
import { median, type Benchmark, type Result } from './benchmark.js';
import { createTables, type Load } from './load-tables.js';

const minPointsPerSecond = 2e6;
const rounds = 5;

const loads: readonly Load[] = [
  { what: 'RAPL at 10 kHz', energyRows: 1000, processes: 0 },
  { what: 'RAPL at 10 kHz, 300 processes at 10 Hz', energyRows: 1000, processes: 300 },
  { what: '1000 processes at 10 Hz', energyRows: 1, processes: 1000 },
];

/** From the tables of receivers, through the attribution, to encoded requests: points per second of CPU time. */
export const wholePath: Benchmark = {
  name: 'whole-path',
  async measure() {
    const results: Result[] = [];
    for (const load of loads) results.push(await measureLoad(load));
    return results;
  },
};

async function measureLoad(load: Load): Promise<Result> {
  const tables = createTables(load);
  const rates: number[] = [];
  // The first run is for the compiler.
  for (let round = 0; round <= rounds; round += 1) {
    const rate = await run(tables);
    if (round > 0) rates.push(rate);
  }
  const ours = median(rates);
  return {
    what: `Attribute and encode: ${load.what}`,
    unit: 'points/s',
    ours,
    reference: undefined,
    ratio: undefined,
    budget: 'at least 2,000,000',
    met: ours >= minPointsPerSecond,
  };
}

async function run(tables: readonly Table[]): Promise<number> {
  let points = 0;
  const batcher = new Batcher({ maxPoints: 8192, maxBytes: 3.5 * 2 ** 20 }, (request) => {
    points += request.points;
    request.release?.();
  });
  const exporter: Consumer = {
    consume(table) {
      batcher.add(table);
      return true;
    },
  };
  const attribution = factory.create(parseSettings(factory.schema, {}), createFakeContext(), exporter);
  await attribution.start();
  const before = process.cpuUsage();
  for (const table of tables) attribution.consume(table);
  batcher.flush();
  const { user, system } = process.cpuUsage(before);
  await attribution.shutdown();
  return points / ((user + system) / 1e6);
}
