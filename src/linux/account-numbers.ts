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
  for (const line of readRegularFile(file, maxBytes).toString('utf8').split('\n')) {
    const [known, , number = ''] = line.split(':');
    if (known === name && /^\d+$/u.test(number)) return Number(number);
  }
  throw new Error(`Cannot use ${setting}: expected a ${what} in ${file}, found none of the name "${name}"`);
}
