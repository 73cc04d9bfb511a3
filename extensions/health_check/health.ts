/** An answer, as the Collector's extension of the same name gives it. */
export interface Health {
  readonly status: 200 | 503;
  readonly body: string;
}

/**
 * What is reported of the collector's health.
 * @param upSince when the extension was started
 */
export function describeHealth(isReady: boolean, upSince: Date, now: Date): Health {
  const told = isReady
    ? {
        status: 'Server available',
        upSince: upSince.toISOString(),
        uptime: formatUptime(now.getTime() - upSince.getTime()),
      }
    : { status: 'Server not available' };
  return { status: isReady ? 200 : 503, body: `${JSON.stringify(told)}\n` };
}

/** A duration as Go writes it: `26h3m4.5s`. */
function formatUptime(ms: number): string {
  // The wall clock can be set back.
  const totalSeconds = Math.max(0, ms) / 1000;
  const hours = Math.floor(totalSeconds / 3600);
  const minutes = Math.floor((totalSeconds % 3600) / 60);
  const seconds = `${Number((totalSeconds % 60).toFixed(3))}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
