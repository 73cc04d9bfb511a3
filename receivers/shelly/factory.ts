import { createHttpMeterFactory } from '../../src/http/http-meters.js';
import { shelly } from './device.js';

/** The shelly receiver: smart plugs, relays and energy meters. */
export const factory = createHttpMeterFactory(shelly);
