import { timingSafeEqual } from 'node:crypto';
import { koffi } from './koffi.js';

/** libxcrypt under the names that distributions use, then musl, whose C library has the function. */
const libraries = ['libcrypt.so.1', 'libcrypt.so.2', 'libc.musl-x86_64.so.1', 'libc.musl-aarch64.so.1'];

/** More than the `struct crypt_data` of any C library. */
const stateBytes = 256 * 1024;

type Done = (error: unknown, hashed: string | null) => void;

interface Crypt {
  /** The state of the function, which contains the password. */
  readonly state: Uint8Array;
  /** crypt_r(3) on another thread: a hash takes tens of milliseconds. */
  hash(phrase: string, setting: string, done: Done): void;
}

let loaded: Crypt | string | undefined;
/** The state allows one call at a time. */
let last: Promise<unknown> = Promise.resolve();

/** Whether a text is a bcrypt hash as created by `htpasswd -B`. */
export function isBcryptHash(text: string): boolean {
  return /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/u.test(text);
}

/** Why passwords cannot be compared with bcrypt hashes on this machine; undefined if they can. */
export function findCryptProblem(): string | undefined {
  loaded ??= load();
  return typeof loaded === 'string' ? loaded : undefined;
}

/**
 * Compares a password with a bcrypt hash, off the main thread, one at a time.
 * @throws Error if no suitable C library is installed
 */
export async function matchesBcrypt(password: string, hash: string): Promise<boolean> {
  loaded ??= load();
  const crypt = loaded;
  if (typeof crypt === 'string') throw new Error(crypt);
  // C would stop at the NUL.
  if (password.includes('\0') || !isBcryptHash(hash)) return false;
  const turn = last.then(() => hashOnce(crypt, password, hash));
  last = turn.catch(() => undefined);
  const hashed = Buffer.from((await turn) ?? '');
  const expected = Buffer.from(hash);
  return hashed.length === expected.length && timingSafeEqual(hashed, expected);
}

function hashOnce({ hash, state }: Crypt, password: string, setting: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    hash(password, setting, (error, hashed) => {
      state.fill(0);
      if (error instanceof Error) reject(error);
      else resolve(hashed);
    });
  });
}

function load(): Crypt | string {
  for (const name of libraries) {
    try {
      return initialise(koffi.load(name));
    } catch {
      // The next name may exist.
    }
  }
  return 'Cannot compare passwords: expected libcrypt with bcrypt (Debian: apt install libcrypt1), found none';
}

function initialise(library: ReturnType<typeof koffi.load>): Crypt {
  const crypt = library.func(
    'str crypt_r(const char *phrase, const char *setting, void *data)',
  ) as unknown as {
    async(phrase: string, setting: string, data: unknown, done: Done): void; // As koffi documents it.
  };
  const address: unknown = koffi.alloc('uint8_t', stateBytes);
  const state = new Uint8Array(koffi.view(address, stateBytes));
  state.fill(0);
  return { state, hash: (phrase, setting, done) => crypt.async(phrase, setting, address, done) };
}
