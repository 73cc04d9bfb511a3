import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Those that otel-examples and its programs use by default. */
const ports = [4317, 4318, 8888, 8889, 9090, 9464, 9465, 13_133];

/** Words before a command that give it a network of its own; none where that is not permitted. */
export function findPrivateNetwork(): readonly string[] {
  const asUser = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const words = ['unshare', ...asUser, '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
  const [program, ...args] = [...words, 'true'];
  return spawnSync(program, args).status === 0 ? words : [];
}

/** The ports of the examples that other programs use. */
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
