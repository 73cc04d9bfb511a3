import type { TestContext } from 'node:test';
import type { ExporterFactory } from '../component/component.js';
import type { Schema } from '../component/schema.js';
import { readServerOptions } from '../http/certificate.fixture.js';
import {
  openHttpBackend,
  type BackendOptions as HttpBackendOptions,
  type HttpBackend,
} from '../http/http-backend.fixture.js';
import type { Transport } from './shared-cases.fixture.js';

/** The differences between HTTP exporters, for tests that all of them share. */
export interface HttpTransportOptions {
  /** Settings besides the endpoint. */
  readonly settings?: Record<string, unknown>;
  /** The values that a backend received, in order. */
  takenValues(backend: HttpBackend): readonly (number | bigint | undefined)[];
  /** Opens the backend, if it answers in its own way. */
  open?(t: TestContext, options: HttpBackendOptions): Promise<HttpBackend>;
}

/** For tests: the transport of an HTTP exporter. */
export function createHttpTransport<S extends Schema>(
  name: string,
  factory: ExporterFactory<S>,
  { settings = {}, takenValues, open = openHttpBackend }: HttpTransportOptions,
): Transport<S> {
  return {
    name,
    factory,
    outage: /^warn: Cannot export to .*Keeping data and trying again$/u,
    silence: /expected an answer within 200 ms, found none\. Keeping data and trying again/u,
    settingsFor: (address) => ({ endpoint: `http://${address}`, ...settings }),
    async open(t, { certificate, isMutual, ...place }) {
      const tls = certificate && { tls: readServerOptions(certificate, isMutual) };
      const backend = await open(t, { ...place, ...tls });
      return { ...backend, endpoint: backend.url, takenValues: () => takenValues(backend) };
    },
  };
}
