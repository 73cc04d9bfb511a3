import type { Metric } from '../../src/model/series.js';
import { FileGauges, parseWhole, type GaugeFile } from '../../src/scraping/file-gauges.js';
import { bounded, maxBytes } from '../../src/scraping/lines.js';
import type { DescribeSource } from '../../src/scraping/source.js';
import type { GroupCache, Groups } from './groups.js';
import { isWithoutValue } from './traffic.js';

export const occupancy: Metric = {
  name: 'linux.resctrl.llc.usage',
  unit: 'By',
  description: 'Part of the last-level cache that the tasks of a resctrl group occupy',
  kind: 'updowncounter',
  valueType: 'int',
};

/** Cache occupancy of each group. */
export function describeOccupancy(groups: Groups): DescribeSource {
  return (source) => {
    const gauges = new FileGauges(source, {
      name: groups.name,
      version: () => groups.follow(source),
      list: () => groups.all.flatMap(({ caches }) => caches.map(createGauge)),
    });
    return function* (at) {
      return [yield* gauges.read(at)];
    };
  };
}

function createGauge({ folder, attributes }: GroupCache): GaugeFile {
  const path = `${folder}/llc_occupancy`;
  const parse = (text: string) =>
    isWithoutValue(Buffer.from(`${text}\n`)) ? NaN : bounded(parseWhole(path, text), maxBytes);
  return { metric: occupancy, attributes, path, parse };
}
