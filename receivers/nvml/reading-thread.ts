import type { Reading } from '../../src/gpu/protocol.js';
import { serveReadings } from '../../src/scraping/serve-readings.js';
import { Session } from './session.js';
import type { ThreadOptions } from './thread-options.js';

// The thread that calls NVML. The receiver starts it with these options.

serveReadings<Reading>((options) => new Session(options as ThreadOptions));
