/**
 * Whether a device has restarted between two looks at how long it has been running: it has run for less than the time since
 * the one before, by a clock that is not its own.
 */
export class RestartDetector {
  #uptime = NaN;
  #atNs = 0n;

  /** @param uptimeSeconds undefined: unknown */
  hasRestarted(uptimeSeconds: number | undefined, monotonicNs: bigint): boolean {
    const before = this.#uptime;
    const expected = before + Number(monotonicNs - this.#atNs) / 1e9;
    const uptime = uptimeSeconds ?? NaN;
    if (!Number.isNaN(uptime)) [this.#uptime, this.#atNs] = [uptime, monotonicNs];
    return uptime < before || uptime < expected - toleranceSeconds - expected * tolerance;
  }
}

/** Clocks of small devices are read late, and differ by up to a part in a thousand. */
const toleranceSeconds = 5;
const tolerance = 1e-3;
