import { createHmac, randomBytes } from 'node:crypto';
import { matchesBcrypt } from '../linux/crypt.js';

/** Whether a request is admitted; busy: too many passwords are being compared. */
export type Access = 'granted' | NoAccess;
export type NoAccess = 'denied' | 'busy';

/** Each takes some 50 ms of CPU time: limits the cost of guessed passwords. */
const maxComparisons = 16;
const maxKnown = 100;

/** Checks users and passwords of HTTP basic authentication (RFC 7617) against bcrypt hashes. */
export class BasicAuth {
  /** Digests of user, password and hash: a scraper's password is compared only once. */
  readonly #known = new Set<string>();
  #digestKey: Buffer | undefined;
  #comparisons = 0;

  /**
   * @param header the Authorization header
   * @param users hashes by user; empty: no authentication
   */
  async check(header: string | undefined, users: ReadonlyMap<string, string>): Promise<Access> {
    if (users.size === 0) return 'granted';
    const credentials = parseCredentials(header);
    if (credentials === undefined) return 'denied';
    const { user, password } = credentials;
    const hash = users.get(user);
    const digest = this.#digest([user, password, hash ?? '']);
    if (this.#known.has(digest)) return 'granted';
    if (this.#comparisons >= maxComparisons) return 'busy';
    // An unknown user takes as long as a wrong password, if all hashes have the same number of rounds.
    const [anyHash = ''] = users.values();
    const isRight = (await this.#compare(password, hash ?? anyHash)) && hash !== undefined;
    if (isRight) this.#remember(digest);
    return isRight ? 'granted' : 'denied';
  }

  async #compare(password: string, hash: string): Promise<boolean> {
    this.#comparisons += 1;
    try {
      return await matchesBcrypt(password, hash);
    } finally {
      this.#comparisons -= 1;
    }
  }

  #remember(digest: string): void {
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.add(digest);
  }

  /** Passwords are not kept in plain text. */
  #digest(parts: readonly string[]): string {
    // Created on demand, since loading the random generator takes 3 ms of every start.
    this.#digestKey ??= randomBytes(32);
    return createHmac('sha256', this.#digestKey).update(JSON.stringify(parts)).digest('base64');
  }
}

function parseCredentials(
  header: string | undefined,
): { readonly user: string; readonly password: string } | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=]+) *$/iu.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
