import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ExporterFactory } from '../component/component.js';
import { createFakeContext } from '../component/fakes.js';
import type { Schema } from '../component/schema.js';
import { parseSettings } from '../config/settings.js';
import { createCertificate, noOpenssl, type CertificateFiles } from '../http/certificate.fixture.js';
import { ownAddress } from '../http/own-address.fixture.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { until } from '../testing/until.js';
import { openSilentPort, readingAt, startExporter } from './exporter.fixture.js';

/** A backend, whatever the transport. */
export interface Backend {
  /** As the value of the setting `endpoint`. */
  readonly endpoint: string;
  readonly port: number;
  /** The values that it accepted, in order. */
  takenValues(): readonly (number | bigint | undefined)[];
  /** Everything that arrived, whatever the answer was. */
  readonly received: readonly unknown[];
  close(): void | Promise<void>;
}

export interface BackendOptions {
  readonly address?: string;
  readonly port?: number;
  readonly certificate?: CertificateFiles;
  /** Requires clients to present that certificate, too. */
  readonly isMutual?: boolean;
  /** @param count number of requests so far, including this one */
  answer?(count: number): { readonly body?: Buffer; readonly isSilent?: boolean };
}

/** An exporter that sends over a network. */
export interface Transport<S extends Schema> {
  readonly name: string;
  readonly factory: ExporterFactory<S>;
  open(t: TestContext, options: BackendOptions): Promise<Backend>;
  /** Settings for sending to such an address without TLS. */
  settingsFor(address: string): Record<string, unknown>;
  /** Log message about a backend that has just gone. */
  readonly outage: RegExp;
  /** Log message about a backend that does not answer. */
  readonly silence: RegExp;
}

/** For tests: the common behaviour of network exporters in an outage. */
export function testOutages<S extends Schema>({
  name,
  factory,
  open,
  settingsFor,
  outage,
}: Transport<S>): void {
  test(`${name} delivers everything, in order, to a backend that was down`, async (t) => {
    const before = await open(t, { address: ownAddress });
    const settings = settingsFor(`${ownAddress}:${before.port}`);
    const { exporter, log, read } = await startExporter(t, factory, settings);
    exporter.consume(readingAt(1, 10));
    // Including the answer: an interrupted request is sent again.
    await until(async () => (await read())['otelcol_exporter_sent_metric_points{otlp}'] === 1);
    await before.close();
    for (const second of [2, 3, 4]) {
      exporter.consume(readingAt(second, 10 * second));
      await until(() => log.lines.length > 0);
    }
    const after = await open(t, { address: ownAddress, port: before.port });
    exporter.consume(readingAt(5, 50));
    await until(() => after.takenValues().length === 4);
    await exporter.shutdown();
    assert.deepEqual([...before.takenValues(), ...after.takenValues()], [10, 20, 30, 40, 50]);
    assert.equal((await read())['otelcol_exporter_send_failed_metric_points{otlp}'], 0);
    assert.match(log.lines[0], outage);
    assert.match(log.lines[1], /^info: Recovered, exporting to .* again after/);
    assert.equal(log.lines.length, 2);
  });

  test(`${name} reports that no server is listening, until one is`, async (t) => {
    const { port, close } = await open(t, { address: ownAddress });
    await close();
    const { exporter, log } = await startExporter(t, factory, settingsFor(`${ownAddress}:${port}`));
    exporter.consume(readingAt(1, 10));
    await until(() => log.lines.length > 0);
    assert.match(
      log.lines[0],
      /^warn: Cannot export to .*ECONNREFUSED.*[^:]\. Keeping data and trying again$/,
    );
    const backend = await open(t, { address: ownAddress, port });
    await until(() => backend.takenValues().length === 1);
  });

  test(`${name} ends in time when the backend accepts connections and never answers`, async (t) => {
    const settings = settingsFor(`localhost:${await openSilentPort(t)}`);
    const { exporter, read } = await startExporter(t, factory, { ...settings, timeout: '20ms' });
    exporter.consume(readingAt(1, 3));
    await exporter.shutdown();
    assert.equal((await read())['joulemetry.exporter.dropped{otlp,shutdown}'], 1);
  });
}

/** For tests: how network exporters handle answers, or their absence. */
export function testAnswers<S extends Schema>({
  name,
  factory,
  open,
  settingsFor,
  silence,
}: Transport<S>): void {
  test(`${name} repeats requests without an answer in time`, async (t) => {
    const { port, received } = await open(t, { answer: (count) => ({ isSilent: count === 1 }) });
    const settings = { ...settingsFor(`localhost:${port}`), timeout: '200ms' };
    const { exporter, log } = await startExporter(t, factory, settings);
    exporter.consume(readingAt(1, 7));
    await until(() => received.length >= 2);
    await exporter.shutdown();
    assert.match(log.lines[0], silence);
  });

  test(`${name} shuts down without a start, and twice`, async () => {
    const exporter = factory.create(parseSettings(factory.schema, {}), createFakeContext());
    assert.equal(exporter.consume(readingAt(1, 1)), false);
    await exporter.shutdown();
    await exporter.shutdown();
  });
}

/** For tests: sets environment variables until the end of the test; undefined: unsets them. */
export function setVariables(t: TestContext, variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const old = process.env[name];
    t.after(() => setVariable(name, old));
    setVariable(name, value);
  }
}

function setVariable(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

/** For tests: how network exporters handle certificates. */
export function testTls<S extends Schema>({ name, factory, open, settingsFor }: Transport<S>): void {
  const skip = { skip: noOpenssl };

  test(`${name} verifies the certificate of the backend`, skip, async (t) => {
    const certificate = createCertificate();
    const { endpoint, takenValues } = await open(t, { certificate });
    const { exporter, log } = await startExporter(t, factory, { endpoint });
    exporter.consume(readingAt(1, 1));
    await until(() => log.lines.length > 0);
    assert.match(log.lines[0], /self-signed certificate/);
    assert.deepEqual(takenValues(), []);

    const tls = { ca_file: certificate.certFile };
    const trusting = await startExporter(t, factory, { endpoint, tls });
    trusting.exporter.consume(readingAt(1, 2));
    await until(() => takenValues().length > 0);
    assert.deepEqual(takenValues(), [2]);
  });

  test(`${name} reports that the backend expects TLS when it connects without`, skip, async (t) => {
    const { port } = await open(t, { certificate: createCertificate() });
    const { exporter, log } = await startExporter(t, factory, settingsFor(`localhost:${port}`));
    exporter.consume(readingAt(1, 1));
    await until(() => log.lines.length > 0);
    assert.match(log.lines[0] ?? '', /as one does that wants TLS at this port/);
  });

  test(`${name} connects with new files when its certificates were replaced`, skip, async (t) => {
    const [old, young] = [createCertificate(), createCertificate()];
    const folder = createFolder();
    const file = join(folder, 'ca.pem');
    copyFileSync(old.certFile, file);
    const first = await open(t, { address: ownAddress, certificate: old });
    const tls = { ca_file: file, server_name_override: 'localhost' };
    const { exporter, log } = await startExporter(t, factory, { endpoint: first.endpoint, tls });
    exporter.consume(readingAt(1, 1));
    await until(() => first.takenValues().length === 1);
    await first.close();
    // A partly written file is not used, and is worth one warning.
    writeFileSync(file, readFileSync(young.certFile, 'utf8').slice(0, 200));
    const second = await open(t, { address: ownAddress, certificate: young, port: first.port });
    exporter.consume(readingAt(2, 2));
    await until(() => log.lines.some((line) => line.includes('connecting with the previous files')));
    assert.deepEqual(second.takenValues(), []);
    copyFileSync(young.certFile, file);
    await until(() => second.takenValues().length === 1);
    assert.deepEqual(second.takenValues(), [2]);
    const warnings = log.lines.filter((line) => line.includes('connecting with the previous files'));
    assert.equal(warnings.length, 1);
  });

  test(`${name} skips the verification with a warning when configured to`, skip, async (t) => {
    const { endpoint, takenValues } = await open(t, { certificate: createCertificate() });
    const settings = { endpoint, tls: { insecure_skip_verify: true } };
    const { exporter, log } = await startExporter(t, factory, settings);
    assert.match(log.lines[0], /^warn: Any machine can pretend to be localhost/);
    exporter.consume(readingAt(1, 3));
    await until(() => takenValues().length === 1);
  });

  test(
    `${name} presents a client certificate, and expects another server name when configured to`,
    skip,
    async (t) => {
      const certificate = createCertificate();
      const { certFile, keyFile } = certificate;
      const { port, takenValues } = await open(t, { certificate, isMutual: true });
      const files = { ca_file: certFile, cert_file: certFile, key_file: keyFile };
      const { exporter } = await startExporter(t, factory, {
        endpoint: `https://127.0.0.1:${port}`,
        tls: { ...files, server_name_override: 'localhost' },
      });
      exporter.consume(readingAt(1, 3));
      await until(() => takenValues().length === 1);
    },
  );
}
