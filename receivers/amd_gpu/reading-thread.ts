import { CardSession, type CardThreadOptions } from '../../src/gpu/card-session.js';
import type { Reading } from '../../src/gpu/protocol.js';
import { serveReadings } from '../../src/scraping/serve-readings.js';
import { AmdCards } from './amd-cards.js';

// The thread that reads the cards: the driver asks their firmware, which takes milliseconds.

serveReadings<Reading>((options) => {
  const all = options as CardThreadOptions & { readonly library: string };
  return new CardSession(new AmdCards(all), all);
});
