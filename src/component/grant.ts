import type { Remedy } from './probe.js';

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
