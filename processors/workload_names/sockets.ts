import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** Default sockets. `*`: every entry of the preceding folder. */
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

/** The user of a socket in a user's run-time folder, `/run/user/1000/docker.sock`; undefined: a system socket. */
export function findSocketOwner(socket: string): string | undefined {
  return /^\/run\/user\/(\d+)\//u.exec(socket)?.[1];
}

/** Finds sockets, each one once, whatever its name: Podman's may also have Docker's name. */
export class SocketFinder {
  readonly #patterns: readonly string[];
  readonly #known = new Set<string>();

  /** @param known shared by finders of which only one is to find a socket */
  constructor(patterns: readonly string[], known = new Set<string>()) {
    this.#patterns = patterns;
    this.#known = known;
  }

  /** @returns the paths that are new */
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
    // Without the folder, there are no sockets of users.
    return [];
  }
}

/** It may have been removed since it was found. */
function resolve(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
