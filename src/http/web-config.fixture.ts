import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { createCertificate, type CertificateFiles } from './certificate.fixture.js';

/** bcrypt hashes with few rounds, of the passwords `correct horse` and `changed`. */
export const hashes = {
  'correct horse': '$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e',
  changed: '$2b$04$bbcdefghijklmnopqrstuu6XhCZ06k9OQJQVMfrDHiw0Y9P922IlO',
};

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** For tests: a file, deleted after the tests, and a function that rewrites it. */
export function writeWebConfig(text: string) {
  const path = join(createFolder(), 'web.yaml');
  const write = (changed: string) => writeFileSync(path, changed);
  write(text);
  return { path, write };
}

/** For tests: a web configuration with TLS and the user `scraper`, whose password is `correct horse`. */
export function createSecuredConfig(): CertificateFiles & { readonly path: string } {
  const files = createCertificate();
  const { path } =
    writeWebConfig(`tls_server_config: {cert_file: "${files.certFile}", key_file: "${files.keyFile}"}
basic_auth_users:
  scraper: ${hashes['correct horse']}
`);
  return { ...files, path };
}

export interface TlsAnswer {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** For tests: the answer of a server with a certificate for `localhost`. */
export function fetchTls(
  url: string,
  options: Record<string, unknown> & { readonly authorization?: string },
): Promise<TlsAnswer> {
  const { authorization, ...rest } = options;
  const headers = authorization === undefined ? {} : { authorization };
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, servername: 'localhost', headers, ...rest }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.once('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    sent.once('error', reject).end();
  });
}
