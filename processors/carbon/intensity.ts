import type { Log } from '../../src/component/log.js';
import { createConstantRate, type Rate } from '../../src/rating/rate.js';
import { FileRateSource, ServiceRateSource, type RateSource } from '../../src/rating/rate-source.js';
import type { Config } from './config.js';
import { countries } from './countries.js';

export const joulesPerKwh = 3.6e6;

/** Grams per joule, and their source. */
export interface Intensity {
  readonly rate: Rate;
  /** Undefined: it is constant. */
  readonly source: RateSource | undefined;
  /** The source of the value in use: `setting`, `FRA 2023`, `file`, `service`. */
  describe(): string;
}

/** Opens the configured intensity. Every joule of the machine corresponds to `pue` joules of the data centre. */
export function openIntensity(config: Config, log: Log): Intensity {
  const { intensity, country, file, service, pue } = config;
  const units = { perJoule: pue / joulesPerKwh, min: 0 };
  const [yearly, year] = countries[country] ?? [];
  const ofCountry = `${country} ${year}`;
  if (file !== null) {
    const source = new FileRateSource(file, units, log);
    return { rate: source.rate, source, describe: () => 'file' };
  }
  if (service !== null) {
    // The means of countries are average ones.
    const isAverage = config.intensity_type === 'average';
    const fallback = isAverage && yearly !== undefined ? yearly * units.perJoule : undefined;
    const own = { ...service, endpoint: service.endpoint ?? '' };
    const source = new ServiceRateSource(own, { units, fallback, log });
    return { rate: source.rate, source, describe: () => (source.isFallback ? ofCountry : 'service') };
  }
  const constant = intensity ?? yearly ?? NaN;
  const name = intensity === null ? ofCountry : 'setting';
  return { rate: createConstantRate(constant * units.perJoule), source: undefined, describe: () => name };
}
