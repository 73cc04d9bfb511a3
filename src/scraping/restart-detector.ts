/**
 * Detects that a device has restarted between two readings of its uptime: it has run for less than the time
 * since the previous one, on this machine's clock.
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

/** Tolerance for late readings and for clocks of small devices, which differ by up to a part in a thousand. */
const toleranceSeconds = 5;
const tolerance = 1e-3;
