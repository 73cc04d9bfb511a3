import type { Rate } from '../../src/rating/rate.js';
import type { Period } from './config.js';

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const minutesPerDay = 1440;
const nsPerMs = 1e6;

/** Parses `HH:MM` to minutes from midnight, 0 to 1440; NaN if it is invalid. */
export function parseTime(text: string): number {
  const { hours, minutes } = /^(?<hours>\d{1,2}):(?<minutes>\d{2})$/u.exec(text)?.groups ?? {};
  const total = Number(hours) * 60 + Number(minutes);
  return Number(minutes) < 60 && total <= minutesPerDay ? total : NaN;
}

/** Validates a period. */
export function checkPeriod({ from, to, days: names }: Period, index: number): readonly string[] {
  const path = `periods[${index}]`;
  const times = Object.entries({ from, to })
    .filter(([, text]) => Number.isNaN(parseTime(text)))
    .map(([name, text]) => `${path}.${name}: expected a time of day such as 22:00, found "${text}"`);
  const unknown = names
    .filter((name) => !days.includes(name))
    .map((name) => `${path}.days: expected mon, tue, wed, thu, fri, sat or sun, found "${name}"`);
  return [...times, ...unknown];
}

interface Part {
  readonly from: number;
  readonly to: number;
  readonly days: readonly number[];
  readonly price: number;
}

/** Prices by the time of day, in the time zone of the machine. */
export class Tariff implements Rate {
  since = -Infinity;
  until = Infinity;
  readonly #parts: readonly Part[];
  /** Minutes at which the price may change. */
  readonly #boundaries: readonly number[];
  readonly #price: number;
  readonly #perJoule: number;

  /** @param perJoule factor from a price to the price of a joule */
  constructor(periods: readonly Period[], price: number, perJoule: number) {
    this.#parts = periods.map(({ from, to, days: names, price: own }) => ({
      from: parseTime(from),
      to: parseTime(to),
      days: names.map((name) => days.indexOf(name)),
      price: own,
    }));
    const minutes = this.#parts.flatMap(({ from, to }) => [from, to]);
    this.#boundaries = [...new Set([...minutes, minutesPerDay])]
      .filter((one) => one > 0)
      .toSorted((a, b) => a - b);
    this.#price = price;
    this.#perJoule = perJoule;
  }

  at(ns: number): number {
    const date = new Date(Math.floor(ns / nsPerMs));
    const minute = date.getHours() * 60 + date.getMinutes();
    this.since = this.#findStart(date, minute) * nsPerMs;
    this.until = this.#findEnd(date, minute) * nsPerMs;
    const part = this.#parts.find((one) => covers(one, date.getDay(), minute));
    return (part?.price ?? this.#price) * this.#perJoule;
  }

  /** The last boundary, Unix milliseconds. When clocks are set back it may not have passed: then this minute. */
  #findStart(date: Date, minute: number): number {
    const last = this.#boundaries.findLast((one) => one <= minute) ?? 0;
    const start = new Date(date.getFullYear(), date.getMonth(), date.getDate(), 0, last).getTime();
    return start <= date.getTime() ? start : date.getTime() - (date.getTime() % 60_000);
  }

  /**
   * The next boundary, Unix milliseconds. When clocks are set back it may have passed already: then the next
   * minute.
   */
  #findEnd(date: Date, minute: number): number {
    const next = this.#boundaries.find((one) => one > minute) ?? minutesPerDay;
    const end = new Date(date.getFullYear(), date.getMonth(), date.getDate(), 0, next).getTime();
    return end > date.getTime() ? end : date.getTime() + 60_000;
  }
}

function covers({ from, to, days: wanted }: Part, day: number, minute: number): boolean {
  const isOn = (one: number) => wanted.length === 0 || wanted.includes(one);
  if (from < to) return isOn(day) && minute >= from && minute < to;
  // It started today or yesterday.
  return (isOn(day) && minute >= from) || (isOn((day + 6) % 7) && minute < to);
}
