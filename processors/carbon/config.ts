import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { energyNames } from '../../src/model/energy-names.js';
import { ledgerEnergy } from '../../src/model/ledger-metrics.js';
import { serviceSettings } from '../../src/rating/rate-source.js';

export const schema = {
  intensity: {
    doc: 'Carbon intensity of the electricity where the machine is, in grams of CO2 equivalent per kWh (g/kWh). Unset: see `country`.',
    format: 'number',
    default: null,
    min: 0,
  },
  country: {
    doc: 'Country whose yearly mean is used if neither `intensity` nor `file` is set, and while `service` has no value: three letters of ISO 3166-1, such as FRA, or WLD for the world.',
    format: 'string',
    default: 'WLD',
  },
  file: {
    doc: 'File with lines `time,intensity`. Times are in RFC 3339 or Unix seconds, intensities in g/kWh. Read again when it changes.',
    format: 'path',
    reads: 'rates',
    min: 0,
    default: null,
  },
  service: {
    doc: 'Web service that is asked for the current intensity. Unset: none.',
    format: 'group',
    settings: serviceSettings,
    default: null,
  },
  intensity_type: {
    doc: 'Meaning of the values of `intensity`, `file` and `service`. `average`: mean of all electricity that is generated at the time. `marginal`: what one more kilowatt-hour would emit. It is an attribute of `carbon.intensity`.',
    format: ['average', 'marginal'],
    default: 'average',
  },
  market: {
    doc: 'Publishes market-based emissions as well: those of the electricity that was bought. Unset: only location-based ones.',
    format: 'group',
    settings: {
      intensity: {
        doc: 'Carbon intensity of the electricity that was bought, in g/kWh; 0 with guarantees of origin.',
        format: 'number',
        default: 0,
        min: 0,
      },
    },
    default: null,
  },
  pue: {
    doc: 'Power usage effectiveness (PUE): energy of the whole data centre for each joule of its machines. Results are multiplied by it.',
    format: 'number',
    default: 1,
    min: 1,
    max: 10,
  },
  embodied: {
    doc: 'Publishes the emissions of making the machine as well, spread evenly over its lifetime. Unset: not published.',
    format: 'group',
    settings: {
      kilograms: {
        doc: 'Emissions of making, transporting and disposing of the machine, in kilograms of CO2 equivalent.',
        format: 'number',
        default: 1000,
        min: 0,
      },
      years: { doc: 'Lifetime of the machine, in years.', format: 'number', default: 4, min: 0.1, max: 100 },
    },
    default: null,
  },
  metrics: {
    doc: 'Energy counters from which emissions are computed. Each gives a metric with `.carbon` in place of `.energy`.',
    format: 'string_list',
    default: [...energyNames, ledgerEnergy.name],
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
