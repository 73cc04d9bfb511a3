import { tickNs } from './procfs.js';

/** Where each number of a `CpuUsage` is, after the first one. */
const at = {
  userNs: 0,
  systemNs: 1,
  seconds: 2,
  nanoseconds: 3,
  baseSeconds: 4,
  baseNanoseconds: 5,
  absoluteUserNs: 6,
  baseUserNs: 7,
  userShare: 8,
} as const;

/** How many numbers a `CpuUsage` keeps. */
export const cpuUsageNumbers = Object.keys(at).length;

/**
 * The CPU time of a process or a cgroup since its series started, in whole nanoseconds: exact for 100 days of
 * CPU time, and after that as precise as a double. The clock gives the sum; the kernel's ticks divide it into
 * user and system time. Neither part ever decreases, and they always add up to the sum.
 */
export class CpuUsage {
  /** An array has 8 bytes for each of its numbers, an object 24. */
  #numbers: number[] = Array.from({ length: cpuUsageNumbers }, () => 0);
  #first = 0;

  constructor() {
    this.begin();
  }

  /**
   * Continues with other numbers, so that one object serves many processes.
   * @param numbers has `cpuUsageNumbers` of them from index `first` on, which no other code changes
   */
  moveTo(numbers: number[], first: number): this {
    this.#numbers = numbers;
    this.#first = first;
    return this;
  }

  /** Begins to count, in numbers that are all 0. */
  begin(): void {
    this.#numbers[this.#first + at.userShare] = 1;
  }

  get userNs(): number {
    return this.#numbers[this.#first + at.userNs];
  }

  get systemNs(): number {
    return this.#numbers[this.#first + at.systemNs];
  }

  get #seconds(): number {
    return this.#numbers[this.#first + at.seconds];
  }

  get #nanoseconds(): number {
    return this.#numbers[this.#first + at.nanoseconds];
  }

  /** Whether the clock has not advanced since the last reading. */
  isAt(seconds: number, nanoseconds: number): boolean {
    return nanoseconds === this.#nanoseconds && seconds === this.#seconds;
  }

  /** By how many nanoseconds the clock is ahead of the last reading. */
  countGrowth({ seconds, nanoseconds }: { seconds: number; nanoseconds: number }): number {
    return (seconds - this.#seconds) * 1e9 + nanoseconds - this.#nanoseconds;
  }

  /** Takes a reading of CPU time since the process started, and its user and system ticks. */
  update(time: { seconds: number; nanoseconds: number }, userTicks: number, systemTicks: number): void {
    const ticks = userTicks + systemTicks;
    this.#numbers[this.#first + at.userShare] = ticks === 0 ? 1 : userTicks / ticks;
    this.updateTotal(time);
  }

  /** Takes a reading of CPU time since the process started, divided as the last one was. */
  updateTotal({ seconds, nanoseconds }: { seconds: number; nanoseconds: number }): void {
    const numbers = this.#numbers;
    const first = this.#first;
    numbers[first + at.seconds] = seconds;
    numbers[first + at.nanoseconds] = nanoseconds;
    const absoluteUserNs = Math.round((seconds * 1e9 + nanoseconds) * numbers[first + at.userShare]);
    numbers[first + at.absoluteUserNs] = absoluteUserNs;
    const userNs = numbers[first + at.userNs];
    const before = userNs + numbers[first + at.systemNs];
    const total = Math.max(before, this.#totalNs());
    const wanted = absoluteUserNs - numbers[first + at.baseUserNs];
    const newUserNs = Math.min(Math.max(wanted, userNs), userNs + total - before);
    numbers[first + at.userNs] = newUserNs;
    numbers[first + at.systemNs] = total - newUserNs;
  }

  /** Takes ticks only, if there is no finer clock. */
  updateFromTicks(userTicks: number, systemTicks: number): void {
    const ticks = userTicks + systemTicks;
    const ticksPerSecond = 1e9 / tickNs;
    const seconds = Math.floor(ticks / ticksPerSecond);
    this.update({ seconds, nanoseconds: (ticks % ticksPerSecond) * tickNs }, userTicks, systemTicks);
  }

  /** Restarts the count at the last reading: both parts are 0 there. */
  restart(): void {
    const numbers = this.#numbers;
    const first = this.#first;
    numbers[first + at.baseSeconds] = this.#seconds;
    numbers[first + at.baseNanoseconds] = this.#nanoseconds;
    numbers[first + at.baseUserNs] = numbers[first + at.absoluteUserNs];
    numbers[first + at.userNs] = 0;
    numbers[first + at.systemNs] = 0;
  }

  #totalNs(): number {
    const baseSeconds = this.#numbers[this.#first + at.baseSeconds];
    const baseNanoseconds = this.#numbers[this.#first + at.baseNanoseconds];
    return (this.#seconds - baseSeconds) * 1e9 + this.#nanoseconds - baseNanoseconds;
  }
}
