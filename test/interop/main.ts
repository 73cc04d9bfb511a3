// npm run test:interop: prepares the peers, lists the unavailable ones, and runs the tests that use them.
// Arguments restrict the run to files whose name contains one of them.
import { fileURLToPath } from 'node:url';
import { runWithPeers } from './run-with-peers.js';

const folder = fileURLToPath(new URL('.', import.meta.url));
process.exitCode = await runWithPeers(folder, process.argv.slice(2));
