// npm run test:interop: prepares the peers, says what cannot be had, and runs the tests that talk to them.
// Arguments restrict the run to files whose name contains one of them.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { peersVariable, type Peers } from './peers.js';
import { preparePeers } from './prepare.js';
import { findPrivateNetwork, findTakenPorts } from './private-network.js';

const folder = fileURLToPath(new URL('.', import.meta.url));

function listTests(parts: readonly string[]): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
    .toSorted()
    .map((file) => `${folder}${file}`);
}

/** Without a network of their own, the tests need the ports of the examples. */
async function leaveOutForPorts(peers: Peers): Promise<Peers> {
  const taken = await findTakenPorts();
  if (taken.length === 0) return peers;
  const reason = `there is no network of their own (unshare --net), and of this one ports ${taken.join(', ')} are taken`;
  return {
    otelcol: { reason },
    'otlp-answers': { reason },
    influxd: { reason },
    prometheus: { reason },
    'prometheus-otlp': { reason },
    promtool: peers.promtool,
    python: peers.python,
    scipy: peers.scipy,
    pandas: peers.pandas,
    chdb: peers.chdb,
    postgres: peers.postgres,
    ferretdb: peers.ferretdb,
    kafka: peers.kafka,
    opensearch: peers.opensearch,
  };
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

const network = findPrivateNetwork();
const found = preparePeers();
const peers = network.length > 0 ? found : await leaveOutForPorts(found);
for (const [name, peer] of Object.entries(peers)) {
  tell('path' in peer ? `${name}: ${peer.path}` : `Skipped, no ${name}: ${peer.reason}`);
}
const tests = listTests(process.argv.slice(2));
if (tests.length === 0) {
  tell(`Cannot find a test file in ${folder} whose name contains ${process.argv.slice(2).join(' or ')}`);
  process.exit(1);
}
// One file at a time: the examples' ports are fixed.
const [program, ...args] = [...network, process.execPath, '--test', '--test-concurrency=1', ...tests];
const env = { ...process.env, [peersVariable]: JSON.stringify(peers) };
process.exitCode = spawnSync(program, args, { stdio: 'inherit', env }).status ?? 1;
