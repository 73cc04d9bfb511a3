import { describeReadError, readRegularFile } from '../linux/regular-file.js';
import type { TlsConfig } from './otlp-settings.js';

/** Largest file of certificates: those of all public authorities together take about 220 kB. */
export const maxPemBytes = 4 * 1024 * 1024;

/** The content of the files that the TLS settings name. */
export interface TlsFiles {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** @throws Error naming the setting and the file that cannot be read */
export function readTlsFiles(tls: TlsConfig): TlsFiles {
  return {
    ca: readFile('ca_file', tls.ca_file),
    cert: readFile('cert_file', tls.cert_file),
    key: readFile('key_file', tls.key_file),
  };
}

function readFile(setting: string, path: string | null): Buffer | undefined {
  if (path === null) return undefined;
  try {
    return readRegularFile(path, maxPemBytes);
  } catch (error) {
    throw new Error(`Cannot read tls.${setting} "${path}": ${describeReadError(error)}`, { cause: error });
  }
}
