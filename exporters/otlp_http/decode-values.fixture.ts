import type { HttpBackend } from '../../src/http/http-backend.fixture.js';
import { decodePoints } from '../../src/otlp/decode-request.fixture.js';

/** For tests: the values of the points that a backend received, in order. */
export function decodeValues({ received }: HttpBackend) {
  return received
    .filter(({ status }) => status === 200)
    .flatMap(({ bytes }) => decodePoints(bytes))
    .map(({ value }) => value);
}
