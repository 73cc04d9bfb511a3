import { CardSession, type CardThreadOptions } from '../../src/gpu/card-session.js';
import type { Reading } from '../../src/gpu/protocol.js';
import { serveReadings } from '../../src/scraping/serve-readings.js';
import type { PmuOptions } from './card-pmu.js';
import { createIntelCards } from './open-card.js';

// The thread that reads the cards: the driver asks their firmware, which takes milliseconds.

serveReadings<Reading>((options) => {
  const all = options as CardThreadOptions & PmuOptions;
  return new CardSession(createIntelCards(all), all);
});
