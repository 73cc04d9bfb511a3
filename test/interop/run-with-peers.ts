import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { peersVariable, type Peer, type Peers } from './peers.js';
import { preparePeers } from './prepare.js';
import { findPrivateNetwork, findTakenPorts } from './private-network.js';

/**
 * Prepares the peers, lists the unavailable ones, and runs the compiled tests of a folder in a separate network
 * namespace.
 * @param parts restrict the run to files whose name contains one of them
 * @returns the exit code
 */
export async function runWithPeers(
  folder: string,
  parts: readonly string[],
  variables: NodeJS.ProcessEnv = {},
): Promise<number> {
  const network = findPrivateNetwork();
  const found = preparePeers();
  const peers = network.length > 0 ? found : await leaveOutForPorts(found);
  for (const [name, peer] of Object.entries(peers)) {
    tell('path' in peer ? `${name}: ${peer.path}` : `Skipped, no ${name}: ${peer.reason}`);
  }
  const tests = listTests(folder, parts);
  if (tests.length === 0) {
    tell(`Cannot find a test file in ${folder} whose name contains ${parts.join(' or ')}`);
    return 1;
  }
  // One file at a time: the examples' ports are fixed.
  const [program, ...args] = [...network, process.execPath, '--test', '--test-concurrency=1', ...tests];
  const env = { ...process.env, ...variables, [peersVariable]: JSON.stringify(peers) };
  return spawnSync(program, args, { stdio: 'inherit', env }).status ?? 1;
}

function listTests(folder: string, parts: readonly string[]): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .toSorted()
    .map((file) => `${folder}${file}`);
}

/** Programs that listen on the ports of the examples. */
const atFixedPorts: ReadonlySet<string> = new Set([
  'otelcol',
  'otlp-answers',
  'prometheus',
  'prometheus-otlp',
]);

/** Without a network namespace, the tests need the ports of the examples. */
async function leaveOutForPorts(peers: Peers): Promise<Peers> {
  const taken = await findTakenPorts();
  if (taken.length === 0) return peers;
  const reason = `there is no network of their own (unshare --net), and of this one ports ${taken.join(', ')} are taken`;
  const entries = Object.entries(peers).map(([name, peer]): [string, Peer] => [
    name,
    atFixedPorts.has(name) ? { reason } : peer,
  ]);
  // Has the same names.
  return Object.fromEntries(entries) as Peers;
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}
