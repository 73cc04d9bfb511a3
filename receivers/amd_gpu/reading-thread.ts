import { CardSession, type CardThreadOptions } from '../../src/gpu/card-session.js';
import type { Reading } from '../../src/gpu/protocol.js';
import { serveReadings } from '../../src/scraping/serve-readings.js';
import { amdCards } from './open-card.js';

// The thread that reads the cards: the driver asks their firmware, which takes milliseconds.

serveReadings<Reading>((options) => new CardSession(amdCards, options as CardThreadOptions));
