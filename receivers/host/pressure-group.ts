import { existsSync } from 'node:fs';
import { KeptFile } from '../../src/linux/kept-file.js';
import type { Metric } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { Counts } from '../../src/scraping/counts.js';
import { CounterTable } from '../../src/scraping/counter-table.js';
import type { CounterColumn } from '../../src/scraping/counters.js';
import { PartialReadError, readParts, type Group, type GroupContext } from './group.js';
import { findLine, findNextLine } from '../../src/scraping/lines.js';

const pressure: Metric = {
  name: 'system.linux.pressure.time',
  unit: 's',
  description: 'Time during which some or all threads that had work waited for a resource',
  kind: 'counter',
  valueType: 'double',
};

export const pressureMetrics = [pressure];

const usPerSecond = 1e6;

/** What a file of `/proc/pressure` tells: "full" of the CPU is undefined and always 0, interrupts have no "some". */
const stallTypes = { cpu: ['some'], memory: ['some', 'full'], io: ['some', 'full'], irq: ['full'] };

interface Resource {
  readonly file: KeptFile;
  readonly stallTypes: readonly string[];
  readonly counts: Counts;
}

const label = 'total=';
const total = new Counts(1);

/** What `/proc/pressure` says. */
export class PressureGroup implements Group {
  readonly #context: GroupContext;
  readonly #resources = new Map<string, Resource>();
  readonly #counters: CounterTable;
  absent: readonly string[] = [];

  constructor(context: GroupContext) {
    this.#context = context;
    const path = `${context.config.procfs}/pressure`;
    for (const [name, types] of Object.entries(stallTypes)) {
      // Kernels before 6.1 and those without IRQ time accounting have no pressure of interrupts.
      if (name === 'irq' && !existsSync(`${path}/${name}`)) continue;
      const counts = new Counts(types.length);
      this.#resources.set(name, { file: new KeptFile(`${path}/${name}`), stallTypes: types, counts });
    }
    this.#counters = new CounterTable(context.host, (name) => this.#describe(name));
  }

  read(): Table[] {
    this.#counters.begin(this.#context.clock.wallNs());
    const read = (name: string, resource: Resource) => {
      parseTotals(resource);
      this.#counters.add(name, resource.counts);
    };
    const { absent, failed } = readParts([...this.#resources].map((one) => () => read(...one)));
    this.absent = absent;
    const tables = [this.#counters.finish()];
    if (failed.length > 0) throw new PartialReadError(failed.join('; '), tables);
    return tables;
  }

  restart(at: bigint): Table[] {
    return [this.#counters.restart(at)];
  }

  close(): void {
    for (const { file } of this.#resources.values()) file.close();
  }

  #describe(name: string): readonly CounterColumn[] | undefined {
    return this.#resources.get(name)?.stallTypes.map((stallType) => ({
      metric: pressure,
      attributes: {
        'system.linux.pressure.resource': name,
        'system.linux.pressure.stall_type': stallType,
      },
      perUnit: usPerSecond,
    }));
  }
}

function parseTotals({ file, stallTypes: types, counts }: Resource): void {
  const text = file.read();
  types.forEach((stallType, i) => {
    const line = findLine(text, `${stallType} `);
    const at = line < 0 ? -1 : text.indexOf(label, line, 'latin1');
    const isThere = at >= 0 && at < findNextLine(text, line);
    if (isThere && total.parse(text, at + label.length) === 1) counts.copy(i, total, 0);
    else throw new Error(`Cannot parse ${file.path}: expected a line "${stallType} ... total=" and a number`);
  });
}
