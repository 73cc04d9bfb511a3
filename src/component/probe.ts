/** What is missing, and the exact command that mends it. */
export interface Remedy {
  /** The file, capability or setting that is missing, and what it would give. */
  readonly missing: string;
  /** A command to run, or a line of configuration. */
  readonly command: string;
}

/** What a receiver found when it looked for its source. */
export interface Probe {
  /** Whether the receiver can start here. */
  readonly available: boolean;
  /** What was found, in a sentence for people: "perf_event: package-0, dram-0 on 1 socket". */
  readonly found: string;
  /** What would make it available, or more exact. */
  readonly remedies: readonly Remedy[];
}

/** A probe in one line, with what to do about what is missing. */
export function describeProbe({ found, remedies }: Pick<Probe, 'found' | 'remedies'>): string {
  return [found, ...remedies.map(({ missing, command }) => `${missing}: ${command}`)].join('; ');
}

/**
 * How to run the collector with capabilities that it lacks, as the user that runs it now: from a shell, and from
 * systemd.
 * @param capabilities as the kernel names them: `CAP_SYS_PTRACE`
 * @param use what they would give
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
