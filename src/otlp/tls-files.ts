import { readFileSync } from 'node:fs';
import { describeError } from '../component/errors.js';
import type { TlsConfig } from './otlp-settings.js';

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
    return readFileSync(path);
  } catch (error) {
    throw new Error(`Cannot read tls.${setting} "${path}": ${describeError(error)}`, { cause: error });
  }
}
