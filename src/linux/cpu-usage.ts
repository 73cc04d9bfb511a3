import { tickNs } from './procfs.js';

/**
 * The CPU time of a process or a cgroup since its series started, in whole nanoseconds: exact for 100 days of
 * CPU time, and after that as precise as a double. The clock gives the sum; the kernel's ticks divide it into
 * user and system time. Neither part ever decreases, and they always add up to the sum.
 */
export class CpuUsage {
  userNs = 0;
  systemNs = 0;
  #seconds = 0;
  #nanoseconds = 0;
  #baseSeconds = 0;
  #baseNanoseconds = 0;
  #absoluteUserNs = 0;
  #baseUserNs = 0;
  #userShare = 1;

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
    this.#userShare = ticks === 0 ? 1 : userTicks / ticks;
    this.updateTotal(time);
  }

  /** Takes a reading of CPU time since the process started, divided as the last one was. */
  updateTotal(time: { seconds: number; nanoseconds: number }): void {
    this.#seconds = time.seconds;
    this.#nanoseconds = time.nanoseconds;
    this.#absoluteUserNs = Math.round((time.seconds * 1e9 + time.nanoseconds) * this.#userShare);
    const before = this.userNs + this.systemNs;
    const total = Math.max(before, this.#totalNs());
    const wanted = this.#absoluteUserNs - this.#baseUserNs;
    this.userNs = Math.min(Math.max(wanted, this.userNs), this.userNs + total - before);
    this.systemNs = total - this.userNs;
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
    this.#baseSeconds = this.#seconds;
    this.#baseNanoseconds = this.#nanoseconds;
    this.#baseUserNs = this.#absoluteUserNs;
    this.userNs = 0;
    this.systemNs = 0;
  }

  #totalNs(): number {
    return (this.#seconds - this.#baseSeconds) * 1e9 + this.#nanoseconds - this.#baseNanoseconds;
  }
}
