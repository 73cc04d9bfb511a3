import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { createFolder } from '../testing/temporary-folder.fixture.js';

/** Why TLS tests cannot run here; false if they can. */
export const noOpenssl: string | false =
  spawnSync('openssl', ['version']).status === 0
    ? false
    : 'openssl, which makes the certificate, is not here';

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** For tests: the files of a new self-signed certificate for `localhost`, deleted after the test. */
export function createCertificate(): CertificateFiles {
  const folder = createFolder();
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
  const { status, stderr } = spawnSync('openssl', ['req', '-x509', ...key, ...subject, '-out', certFile]);
  if (status !== 0) throw new Error(`Cannot make a certificate: ${stderr.toString()}`);
  return { certFile, keyFile };
}

/** Server options with such a certificate. @param isMutual whether clients must present it, too */
export function readServerOptions({ certFile, keyFile }: CertificateFiles, isMutual = false): TlsOptions {
  const [cert, key] = [readFileSync(certFile), readFileSync(keyFile)];
  return { cert, key, ...(isMutual && { ca: cert, requestCert: true }) };
}
