/** What is missing, and the exact command that fixes it. */
export interface Remedy {
  /** The missing file, capability or setting, and what it would enable. */
  readonly missing: string;
  /** A command to run, or a line of configuration. */
  readonly command: string;
}

/** The findings of a receiver about its source. */
export interface Probe {
  /** Whether the receiver can start here. */
  readonly available: boolean;
  /** The finding in one sentence: "perf_event: package-0, dram-0 on 1 socket". */
  readonly found: string;
  /** What would make the source available, or more exact. */
  readonly remedies: readonly Remedy[];
}

/** A probe in one line, with remedies. */
export function describeProbe({ found, remedies }: Pick<Probe, 'found' | 'remedies'>): string {
  return [found, ...remedies.map(({ missing, command }) => `${missing}: ${command}`)].join('; ');
}

/**
 * How to run the collector with missing capabilities as the current user: from a shell, and with systemd.
 * @param capabilities as the kernel names them: `CAP_SYS_PTRACE`
 * @param use what they would enable
 */
export function createGrant(capabilities: readonly string[], use: string): readonly Remedy[] {
  const added = capabilities.map((name) => `+${name.replace(/^CAP_/, '').toLowerCase()}`).join(',');
  const ids = '--reuid "$(id -u)" --regid "$(id -g)" --init-groups';
  const names = capabilities.join(' and ');
  return [
    {
      missing: `${names}, for ${use}`,
      command: `sudo setpriv ${ids} --inh-caps ${added} --ambient-caps ${added} -- joulemetry`,
    },
    { missing: `${names}, for a systemd unit`, command: `AmbientCapabilities=${capabilities.join(' ')}` },
  ];
}
