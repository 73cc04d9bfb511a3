import { createHmac, randomBytes } from 'node:crypto';
import { matchesBcrypt } from '../linux/crypt.js';

/** Whether a request is answered; busy: too many passwords are being compared. */
export type Access = 'granted' | 'denied' | 'busy';

/** Each takes some 50 ms of a CPU: a client that guesses passwords must not take more. */
const maxComparisons = 16;
const maxKnown = 100;

/** Checks users and passwords of HTTP basic authentication (RFC 7617) against bcrypt hashes. */
export class BasicAuth {
  /** Of these, a digest of user, password and hash: a scraper's password is compared once. */
  readonly #known = new Set<string>();
  #digestKey: Buffer | undefined;
  #comparisons = 0;

  /**
   * @param header the Authorization header
   * @param users hashes by user; empty: everyone may read
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
    // A user that does not exist takes as long as a wrong password, whatever rounds the hashes have in common.
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

  /** A password is not kept as it is. */
  #digest(parts: readonly string[]): string {
    // Made when there is a password: what makes it takes 3 ms of every start.
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
