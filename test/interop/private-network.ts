import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Default ports of otel-examples and its programs. */
const ports = [4317, 4318, 8888, 8889, 9090, 9464, 9465, 13_133];

/** Command prefix that runs a command in a new network namespace; empty where that is not permitted. */
export function findPrivateNetwork(): readonly string[] {
  const asUser = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const words = ['unshare', ...asUser, '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
  const [program, ...args] = [...words, 'true'];
  return spawnSync(program, args).status === 0 ? words : [];
}

/** The ports of the examples that are in use by other programs. */
export async function findTakenPorts(): Promise<readonly number[]> {
  const taken: number[] = [];
  for (const port of ports) if (!(await isFree(port))) taken.push(port);
  return taken;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, 'localhost');
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
