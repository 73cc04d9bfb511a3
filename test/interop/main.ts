// npm run test:interop: prepares the peers, reports what cannot be had, and runs the tests that talk to them.
// Arguments restrict the run to files whose name contains one of them.
import { fileURLToPath } from 'node:url';
import { runWithPeers } from './run-with-peers.js';

const folder = fileURLToPath(new URL('.', import.meta.url));
process.exitCode = await runWithPeers(folder, process.argv.slice(2));
