import { readRegularFile } from './regular-file.js';

const maxBytes = 16 * 1024 * 1024;

/**
 * The number of a user.
 * @param user a name in passwd(5), or a number
 * @param setting for messages
 * @throws Error if there is no user with this name
 */
export function findUserId(user: string, setting: string, file = '/etc/passwd'): number {
  return findNumber(user, { what: 'user', setting, file });
}

/** The same for a group, from group(5). */
export function findGroupId(group: string, setting: string, file = '/etc/group'): number {
  return findNumber(group, { what: 'group', setting, file });
}

function findNumber(
  name: string,
  { what, setting, file }: { readonly what: string; readonly setting: string; readonly file: string },
): number {
  if (/^\d+$/u.test(name)) return Number(name);
  for (const account of parseAccounts(readRegularFile(file, maxBytes).toString('utf8'))) {
    if (account.name === name) return account.number;
  }
  throw new Error(`Cannot use ${setting}: expected a ${what} in ${file}, found none of the name "${name}"`);
}

/** A user in passwd(5), or a group in group(5). */
export interface Account {
  readonly name: string;
  readonly number: number;
}

/** The accounts in the text of such a file; other lines are left out. */
export function* parseAccounts(text: string): Generator<Account> {
  for (const line of text.split('\n')) {
    const [name = '', , number = ''] = line.split(':');
    if (name !== '' && /^\d+$/u.test(number)) yield { name, number: Number(number) };
  }
}
