import type { Context } from '../component/component.js';
import type { Consumer } from '../component/consumer.js';
import type { Log } from '../component/log.js';
import { elementAt } from '../element.js';
import { createPlans, findOrAdd } from '../model/plan.js';
import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';

/** A counter without readings, for the log. */
export interface Gap {
  /** The object of "Cannot read": `the energy of dram-0`. */
  readonly what: string;
  /** `EIO` */
  readonly reason: string;
}

/** How gaps are reported. */
export interface GapOptions {
  /** Describes the current gap of a series. */
  readonly describe?: (series: Series) => Gap;
  /**
   * Number of tables in a row without a reading after which a counter is reported. Where counters take turns, the first
   * table, of a single row, may lack one.
   */
  readonly failingTables?: number;
}

/** Maximum counters that a line of the log names. */
const namedCounters = 3;

/** State of a series that exists in several tables. */
interface Course {
  /** Number of tables in a row without a reading. */
  failedTables: number;
  /** The reported gap. */
  gap: Gap | undefined;
}

/** The counters among the series of a table. */
interface Columns {
  readonly courses: readonly (Course | undefined)[];
  /** 1 for each counter, 0 for the others: a gauge may have nothing to show. */
  readonly isCounter: Uint8Array;
  /** 1 for each column with a reading in the current table. */
  readonly isRead: Uint8Array;
}

/**
 * Counts failed readings of the counters of a sampler, and logs when counters start and stop to fail for whole
 * tables.
 */
export function watchGaps(
  { id, log, meter }: Pick<Context, 'id' | 'log' | 'meter'>,
  next: Consumer,
  { describe = describeSeries, failingTables = 2 }: GapOptions = {},
): Consumer {
  const counter = meter.createCounter('joulemetry.sampler.gaps', {
    unit: '{reading}',
    description: 'Readings of a counter that failed: gaps in its series',
  });
  const attributes = { receiver: id };
  counter.add(0, attributes);
  const findCourse = createPlans<Series, Course>(() => ({ failedTables: 0, gap: undefined }));
  const planColumns = createPlans((series: readonly Series[]): Columns => {
    const isCounter = Uint8Array.from(series, ({ metric }) => (metric.kind === 'counter' ? 1 : 0));
    const courses = series.map((one, column) => (isCounter[column] === 1 ? findCourse(one) : undefined));
    return { courses, isCounter, isRead: new Uint8Array(series.length) };
  });
  return {
    consume(table) {
      const columns = planColumns(table.series);
      const gaps = countGaps(table, columns);
      if (gaps > 0) counter.add(gaps, attributes);
      if (table.values.length > 0) logChanges(table.series, columns, { log, describe, failingTables });
      return next.consume(table);
    },
  };
}

/** Marks the columns that have a reading, and counts missing values of counters. */
function countGaps({ series, values }: Table, { isCounter, isRead }: Columns): number {
  let gaps = 0;
  let column = 0;
  isRead.fill(0);
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) gaps += elementAt(isCounter, column);
    else isRead[column] = 1;
    if (++column === series.length) column = 0;
  }
  return gaps;
}

/** Counters that fail for one reason are one line. */
function logChanges(
  series: readonly Series[],
  { courses, isRead }: Columns,
  { log, describe, failingTables }: Required<GapOptions> & { readonly log: Log },
): void {
  let failing: Map<string, string[]> | undefined;
  let recovered: string[] | undefined;
  for (let column = 0; column < courses.length; column++) {
    const course = courses[column];
    if (course === undefined) continue;
    if (isRead[column] === 1) {
      course.failedTables = 0;
      if (course.gap !== undefined) (recovered ??= []).push(course.gap.what);
      course.gap = undefined;
    } else if (++course.failedTables === failingTables) {
      course.gap = describe(elementAt(series, column));
      findOrAdd((failing ??= new Map()), course.gap.reason, () => []).push(course.gap.what);
    }
  }
  failing?.forEach((names, reason) =>
    log.warn(`Cannot read ${listNames(names)}: ${reason}; trying again at every reading`),
  );
  if (recovered !== undefined) log.info(`Reading ${listNames(recovered)} again`);
}

function listNames(names: readonly string[]): string {
  const more = names.length - namedCounters;
  const named = names.slice(0, namedCounters).join(', ');
  return more > 0 ? `${named} and ${more} more` : named;
}

function describeSeries({ metric, attributes }: Series): Gap {
  return { what: [metric.name, ...Object.values(attributes)].join(' '), reason: 'its sampler has no value' };
}
