import { createHttpMeterFactory } from '../../src/http/http-meters.js';
import { tasmota } from './device.js';

/** The tasmota receiver: smart plugs and energy meters with that firmware. */
export const factory = createHttpMeterFactory(tasmota);
