import { serveReadings } from '../../src/scraping/serve-readings.js';
import type { Reading, ThreadOptions } from './protocol.js';
import { Session } from './session.js';

// The thread that calls NVML. The receiver starts it with these options.

serveReadings<Reading>((options) => new Session(options as ThreadOptions));
