import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** Sockets that are looked for where none is configured. `*`: every entry of the folder before. */
export const usualSockets = {
  docker: ['/var/run/docker.sock', '/run/user/*/docker.sock'],
  podman: ['/run/podman/podman.sock', '/run/user/*/podman/podman.sock'],
  cri: [
    '/run/containerd/containerd.sock',
    '/run/crio/crio.sock',
    '/run/k3s/containerd/containerd.sock',
    '/run/k0s/containerd.sock',
    '/var/snap/microk8s/common/run/containerd.sock',
  ],
} as const;

/** The user of a socket in the run-time folder of one, `/run/user/1000/docker.sock`; undefined: the machine's. */
export function findSocketOwner(socket: string): string | undefined {
  return /^\/run\/user\/(\d+)\//u.exec(socket)?.[1];
}

/** Finds sockets again and again, each one once, whatever its name: Podman can have that of Docker, too. */
export class SocketFinder {
  readonly #patterns: readonly string[];
  readonly #known = new Set<string>();

  /** @param known shared by those of which only one is to find a socket */
  constructor(patterns: readonly string[], known = new Set<string>()) {
    this.#patterns = patterns;
    this.#known = known;
  }

  /** @returns the paths that were not there before */
  find(): readonly string[] {
    return this.#patterns.flatMap(expand).filter((path) => {
      if (!existsSync(path)) return false;
      const real = resolve(path);
      if (this.#known.has(real)) return false;
      this.#known.add(real);
      return true;
    });
  }
}

function expand(pattern: string): readonly string[] {
  const [folder, rest] = pattern.split('/*/');
  if (folder === undefined || rest === undefined) return [pattern];
  try {
    return readdirSync(folder).map((name) => join(folder, name, rest));
  } catch {
    // Without the folder, no user has a socket in it.
    return [];
  }
}

/** It may have gone since it was found. */
function resolve(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
