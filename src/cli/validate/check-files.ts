import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { NamedFile } from '../../config/named-files.js';
import type { Problem } from '../../config/problem.js';
import { describeError } from '../../errors.js';
import { readSecret } from '../../http/secret-file.js';
import { checkTlsFiles, readPemFile } from '../../http/tls-files.js';
import { checkWebConfigFile } from '../../http/web-config.js';
import { readRates } from '../../rating/rate-source.js';

/** Reads files as a start does. @returns what a start would refuse */
export async function checkFiles(files: readonly NamedFile[]): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const file of files) {
    try {
      await check(file);
    } catch (error) {
      problems.push({ origin: file.origin, path: file.path, message: describeError(error) });
    }
  }
  return problems;
}

async function check({ content, file, certificate }: NamedFile): Promise<void> {
  switch (content) {
    case 'certificates':
      return checkCertificates(file);
    case 'private_key':
      return checkKey(file, certificate);
    case 'secret':
      readSecret(file, `"${file}"`);
      return;
    case 'web_config':
      return checkWebConfigFile(file);
    case 'rates':
      await readRates(file, { perJoule: 1, min: -Infinity });
      return;
    case 'output':
      return checkFolder(dirname(file));
  }
}

const unset = { setting: '', path: null };

function checkCertificates(path: string): void {
  checkTlsFiles({ ca: { setting: 'certificates', path }, cert: unset, key: unset });
}

function checkKey(path: string, certificate: string | undefined): void {
  const key = { setting: 'private key', path };
  readPemFile(key);
  if (certificate === undefined || !isUsable(certificate)) return;
  checkTlsFiles({ ca: unset, cert: { setting: 'certificates', path: certificate }, key });
}

/** An unusable certificate is a problem of its own setting. */
function isUsable(certificate: string): boolean {
  try {
    checkCertificates(certificate);
    return true;
  } catch {
    return false;
  }
}

function checkFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new Error(`expected an existing folder ${path}, found none; create it or set another path`);
}
