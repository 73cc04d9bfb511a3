import { readEffectiveCapabilities } from '../linux/privileges.js';

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
  /** False if the receiver can publish energy, but this source has none. */
  readonly hasEnergy?: boolean;
}

/** A probe in one line, with remedies. */
export function describeProbe({ found, remedies }: Pick<Probe, 'found' | 'remedies'>): string {
  return [found, ...remedies.map(({ missing, command }) => `${missing}: ${command}`)].join('; ');
}

/** The user who runs the collector. */
interface User {
  readonly isRoot: boolean;
  /** Effective capabilities. */
  readonly held: readonly string[];
}

function findUser(): User {
  return { isRoot: process.getuid?.() === 0, held: readEffectiveCapabilities() };
}

/**
 * How to run the collector with missing capabilities as the current user: from a shell, and with systemd. The
 * command for a shell also grants what an ordinary user already has, which sudo would drop.
 * @param capabilities as the kernel names them: `CAP_SYS_PTRACE`
 * @param use what they would enable
 */
export function createGrant(
  capabilities: readonly string[],
  use: string,
  { isRoot, held }: User = findUser(),
): readonly Remedy[] {
  const granted = new Set([...(isRoot ? [] : held), ...capabilities]);
  const added = [...granted].map((name) => `+${name.replace(/^CAP_/, '').toLowerCase()}`).join(',');
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
