// npm run test:interop: prepares the peers, says what cannot be had, and runs the tests that talk to them.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { peersVariable } from './peers.js';
import { preparePeers } from './prepare.js';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** Words before a command that give it a network of its own, in which the examples' ports are free. */
function findPrivateNetwork(): readonly string[] {
  const asUser = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const words = ['unshare', ...asUser, '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
  const [program, ...args] = [...words, 'true'];
  return spawnSync(program, args).status === 0 ? words : [];
}

function listTests(parts: readonly string[]): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .toSorted()
    .map((file) => `${folder}${file}`);
}

const peers = preparePeers();
for (const [name, peer] of Object.entries(peers)) {
  process.stderr.write('path' in peer ? `${name}: ${peer.path}\n` : `Skipped, no ${name}: ${peer.reason}\n`);
}
const network = findPrivateNetwork();
if (network.length === 0) {
  process.stderr.write('No network of their own: the tests need the ports of otel-examples to be free\n');
}
// One file at a time: the examples' ports are fixed.
const [program = '', ...args] = [
  ...network,
  process.execPath,
  '--test',
  '--test-concurrency=1',
  ...listTests(process.argv.slice(2)),
];
const env = { ...process.env, [peersVariable]: JSON.stringify(peers) };
process.exitCode = spawnSync(program, args, { stdio: 'inherit', env }).status ?? 1;
