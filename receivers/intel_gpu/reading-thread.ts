import { CardSession, type CardThreadOptions } from '../../src/gpu/card-session.js';
import type { Reading } from '../../src/gpu/protocol.js';
import { serveReadings } from '../../src/scraping/serve-readings.js';
import { createIntelCards } from './open-card.js';

// The thread that reads the cards: the driver asks their firmware, which takes milliseconds.

serveReadings<Reading>((options) => {
  const own = options as CardThreadOptions;
  return new CardSession(createIntelCards(own.sysfs), own);
});
