import { countPoints, type Table } from '../src/model/table.js';
import { measureAllocation } from '../src/testing/allocation.fixture.js';
import { median, type Benchmark, type Result } from './benchmark.js';
import { encoders, processors, prometheusStore, type Subject } from './component-loads.js';
import { createTables, type Load } from './load-tables.js';

const warmUps = 8;
const rounds = 7;
/** A load, and the maximum heap per point that a processor may allocate for it. */
export interface MeasuredLoad extends Load {
  readonly maxBytes: number;
}

/** A double on the heap takes 16 bytes, an object more. Tables, windows and workloads may allocate a few. */
export const loads: readonly MeasuredLoad[] = [
  { what: 'RAPL at 10 kHz', energyRows: 1000, processes: 0, maxBytes: 8 },
  { what: '300 processes at 10 Hz', energyRows: 1, processes: 300, maxBytes: 16 },
];

/** Points per second of CPU time through each processor and encoder, and the heap that each point allocates. */
export const allocation: Benchmark = {
  name: 'allocation',
  measure: () => Promise.resolve(loads.flatMap(measureLoad)),
};

function measureLoad(load: MeasuredLoad): readonly Result[] {
  const tables = createTables(load);
  return [
    ...[...processors, prometheusStore].flatMap((subject) =>
      describe(subject, load, measure(subject, tables), load.maxBytes),
    ),
    ...encoders.flatMap((subject) => describe(subject, load, measure(subject, tables))),
  ];
}

interface Figures {
  readonly pointsPerSecond: number;
  readonly bytesPerPoint: number;
}

function describe(
  { name }: Subject,
  { what }: Load,
  { pointsPerSecond, bytesPerPoint }: Figures,
  maxBytes?: number,
): readonly Result[] {
  const common = { reference: undefined, ratio: undefined, budget: '', met: undefined };
  const heap = { ...common, what: `Heap of a point: ${name}, ${what}`, unit: 'B', ours: bytesPerPoint };
  return [
    { ...common, what: `Points per second: ${name}, ${what}`, unit: 'points/s', ours: pointsPerSecond },
    maxBytes === undefined
      ? heap
      : { ...heap, budget: `at most ${maxBytes} B`, met: bytesPerPoint <= maxBytes },
  ];
}

/** The median of several rounds, after warm-up rounds for the compiler. */
function measure(subject: Subject, tables: readonly Table[]): Figures {
  const figures: Figures[] = [];
  for (let round = -warmUps; round < rounds; round += 1) {
    const one = {
      pointsPerSecond: measureSpeed(subject, tables),
      bytesPerPoint: measureHeap(subject, tables),
    };
    if (round >= 0) figures.push(one);
  }
  return {
    pointsPerSecond: median(figures.map(({ pointsPerSecond }) => pointsPerSecond)),
    bytesPerPoint: median(figures.map(({ bytesPerPoint }) => bytesPerPoint)),
  };
}

function measureSpeed(subject: Subject, tables: readonly Table[]): number {
  const take = subject.create(tables);
  const before = process.cpuUsage();
  for (const table of tables) take(table);
  const { user, system } = process.cpuUsage(before);
  return sumPoints(tables) / ((user + system) / 1e6);
}

/**
 * Bytes of the JavaScript heap per point. Allocations made once per series are excluded: half of the tables
 * come before the measurement.
 */
export function measureHeap(subject: Subject, tables: readonly Table[]): number {
  const take = subject.create(tables);
  const middle = tables.length >> 1;
  for (const table of tables.slice(0, middle)) take(table);
  const rest = tables.slice(middle);
  const bytes = measureAllocation(() => {
    for (const table of rest) take(table);
  });
  return bytes / sumPoints(rest);
}

function sumPoints(tables: readonly Table[]): number {
  return tables.reduce((sum, table) => sum + countPoints(table), 0);
}
