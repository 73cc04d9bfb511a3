import {
  ATTR_NETWORK_INTERFACE_NAME,
  ATTR_NETWORK_IO_DIRECTION,
  ATTR_SYSTEM_DEVICE,
} from '../../src/model/semantic-conventions.js';
import type { Metric } from '../../src/model/series.js';
import { networkIo } from '../../src/model/usage-metrics.js';
import type { CounterColumn } from '../../src/scraping/counter-table.js';
import { Counts } from '../../src/scraping/counts.js';
import { createNameFilter, forEachLine, requireLines } from '../../src/scraping/lines.js';
import type { DescribeSource } from '../../src/scraping/source.js';
import type { Config } from './config.js';

const packets = counter('system.network.packet.count', '{packet}', 'Packets received and transmitted');
const errors = counter('system.network.errors', '{error}', 'Packets lost because of errors');
const dropped = counter('system.network.packet.dropped', '{packet}', 'Packets dropped without an error');

export const networkMetrics = [networkIo, packets, errors, dropped];

/** Columns of a line of `/proc/net/dev`: eight per direction, of which the first four are used. */
const receiveField = 0;
const transmitField = 8;
const fields = 16;
const usedFields = 4;

/** The contents of `/proc/net/dev`. */
export function describeNetwork({ procfs, network }: Config): DescribeSource {
  return (source) => {
    const file = source.file(`${procfs}/net/dev`);
    const isWanted = createNameFilter(network);
    const counters = source.counters((name) => (isWanted(name) ? describeInterface(name) : undefined));
    const read = new Counts(fields);
    const used = new Counts(2 * usedFields);
    /** Lines without an interface, such as the two header lines, are ignored. */
    const addLine = (line: Buffer): void => {
      // Old kernels allow colons in names; numbers have none.
      const colon = line.lastIndexOf(':');
      if (colon < 0 || read.parse(line, colon + 1) < fields) return;
      for (let field = 0; field < usedFields; field++) {
        used.copy(2 * field, read, receiveField + field);
        used.copy(2 * field + 1, read, transmitField + field);
      }
      counters.add(line.toString('utf8', 0, colon).replace(/^ +/, ''), used);
    };
    return (at) => {
      counters.begin(at);
      const text = requireLines(file, 'the heading of interfaces', (bytes) => bytes.includes('Inter-|'));
      forEachLine(text, addLine);
      return [counters.finish()];
    };
  };
}

function describeInterface(name: string): readonly CounterColumn[] {
  return [networkIo, packets, errors, dropped].flatMap((metric) => {
    // For this metric, the semantic conventions identify the interface by another attribute.
    const key = metric === packets ? ATTR_SYSTEM_DEVICE : ATTR_NETWORK_INTERFACE_NAME;
    return ['receive', 'transmit'].map((direction) => ({
      metric,
      attributes: { [key]: name, [ATTR_NETWORK_IO_DIRECTION]: direction },
      perUnit: 1,
    }));
  });
}

function counter(name: string, unit: string, description: string): Metric {
  return { name, unit, description, kind: 'counter', valueType: 'int' };
}
