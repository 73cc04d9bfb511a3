// Receives OTLP as an agent does, whose heap does not grow: PROTOCOL LOAD COMPRESSION, or `decode LOAD` without a
// socket. Prints the points per second of CPU time.
import { stopHeapGrowth } from '../src/young-generation.js';

// Before components are loaded, as in an agent.
stopHeapGrowth();
const { measureReceiver } = await import('./otlp-receiving.js');
console.log(await measureReceiver(process.argv.slice(2)));
process.exit();
