import { closeSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { NamedFile } from '../../config/named-files.js';
import type { Problem } from '../../config/problem.js';
import { describeError } from '../../errors.js';
import { readSecret } from '../../http/secret-file.js';
import { checkTlsFiles, readPemFile } from '../../http/tls-files.js';
import { checkWebConfigFile } from '../../http/web-config.js';
import { describeReadError, openRegularFile } from '../../linux/regular-file.js';
import { readRates } from '../../rating/rate-source.js';
import { findRecordings } from '../../recording/find-recordings.js';

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

async function check({ content, file, certificate, min, isCreated }: NamedFile): Promise<void> {
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
      await readRates(file, { perJoule: 1, min: min ?? -Infinity });
      return;
    case 'recordings':
      return checkRecordings(file);
    case 'module':
      return checkModule(file);
    case 'output':
      return checkFolder(dirname(file));
    case 'folder':
      return isCreated === true ? checkParents(file) : checkFolder(file);
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

function checkRecordings(name: string): void {
  if (findRecordings([name]).missing.length > 0) throw new Error(`expected a file ${name}, found none`);
}

function checkModule(path: string): void {
  try {
    closeSync(openRegularFile(path));
  } catch (error) {
    throw new Error(`Cannot read ${path}: ${describeReadError(error)}`, { cause: error });
  }
}

/** Every part of a path that exists must be a folder, so that the rest can be created. */
function checkParents(path: string): void {
  const parent = dirname(path);
  if (parent !== path) checkParents(parent);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new Error(`expected a folder ${path}, found a file; set another path`);
}

function checkFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new Error(`expected an existing folder ${path}, found none; create it or set another path`);
}
