import { test } from 'node:test';
import { checkHistograms } from '../model/check-histograms.js';
import { simulateHistograms } from './simulated-histograms.js';

test('simulateHistograms makes histograms as components pass them on', () => {
  checkHistograms(simulateHistograms());
});
