import { createHash, randomBytes } from 'node:crypto';

/** Credentials. */
export interface User {
  readonly name: string;
  readonly password: string;
}

/** A request to authorize. */
export interface DigestRequest {
  readonly method: string;
  /** The path with its query, as in the first line of the request. */
  readonly path: string;
}

/** Hash functions of RFC 7616 that Node has, strongest first. */
const hashes: ReadonlyMap<string, string> = new Map([
  ['SHA-512-256', 'sha512-256'],
  ['SHA-256', 'sha256'],
  ['MD5', 'md5'],
]);

/** A digest challenge of a server. */
interface Challenge {
  readonly parameters: ReadonlyMap<string, string>;
  /** As the server spells it; undefined: not given, which means MD5. */
  readonly algorithm: string | undefined;
  readonly hash: string;
  readonly isSession: boolean;
}

/**
 * Digest access authentication (RFC 7616) with `qop=auth`: the password is not sent. One object per challenge; it counts
 * the requests that use its nonce.
 */
export class DigestAuth {
  readonly #challenge: Challenge;
  readonly #createNonce: () => string;
  #count = 0;

  private constructor(challenge: Challenge, createNonce: () => string) {
    this.#challenge = challenge;
    this.#createNonce = createNonce;
  }

  /**
   * Chooses the strongest challenge in a header `WWW-Authenticate`.
   * @param createNonce creates the client nonce
   * @returns undefined if none is a supported digest
   */
  static parse(header: string, createNonce = () => randomBytes(16).toString('hex')): DigestAuth | undefined {
    const challenges = splitChallenges(header).flatMap((text) => parseChallenge(text) ?? []);
    const ranks = [...hashes.values()];
    const [best] = challenges.toSorted((a, b) => ranks.indexOf(a.hash) - ranks.indexOf(b.hash));
    return best && new DigestAuth(best, createNonce);
  }

  /** The header `Authorization` of the next request. */
  authorize({ name, password }: User, { method, path }: DigestRequest): string {
    const { parameters, algorithm, isSession } = this.#challenge;
    const [realm = '', nonce = ''] = ['realm', 'nonce'].map((key) => parameters.get(key));
    const cnonce = this.#createNonce();
    this.#count += 1;
    const nc = this.#count.toString(16).padStart(8, '0');
    const secret = this.#hash(`${name}:${realm}:${password}`);
    const key = isSession ? this.#hash(`${secret}:${nonce}:${cnonce}`) : secret;
    const request = this.#hash(`${method}:${path}`);
    const hasQop = parameters.has('qop');
    const middle = hasQop ? `${nonce}:${nc}:${cnonce}:auth` : nonce;
    const response = this.#hash(`${key}:${middle}:${request}`);
    const opaque = parameters.get('opaque');
    const fields = [
      ...Object.entries({ username: name, realm, nonce, uri: path, response }).map(quote),
      ...(opaque === undefined ? [] : [quote(['opaque', opaque])]),
      ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
      ...(hasQop ? [`qop=auth`, `nc=${nc}`, quote(['cnonce', cnonce])] : []),
    ];
    return `Digest ${fields.join(', ')}`;
  }

  #hash(text: string): string {
    return createHash(this.#challenge.hash).update(text).digest('hex');
  }
}

function quote([name, value]: readonly [string, string]): string {
  return `${name}="${value.replaceAll(/["\\]/gu, String.raw`\$&`)}"`;
}

/** One header may have several challenges: a scheme is a word that is not followed by `=`. */
function splitChallenges(header: string): readonly string[] {
  return header.split(/(?:^|,)\s*(?=[A-Za-z][\w-]*\s+[A-Za-z])/u).filter((text) => text.trim() !== '');
}

function parseChallenge(text: string): Challenge | undefined {
  if (!/^digest\s/iu.test(text)) return undefined;
  const pairs = text.matchAll(/([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/giu);
  const parameters = new Map(
    [...pairs].map(([, name = '', quoted, token = '']) => [
      name.toLowerCase(),
      quoted?.replaceAll(/\\(.)/gu, '$1') ?? token,
    ]),
  );
  const algorithm = parameters.get('algorithm');
  const [, name = '', session] = /^(.*?)(-sess)?$/iu.exec((algorithm ?? 'MD5').toUpperCase()) ?? [];
  const hash = hashes.get(name);
  const qop = parameters.get('qop')?.split(',');
  if (hash === undefined || !parameters.has('nonce')) return undefined;
  if (qop && !qop.some((one) => one.trim() === 'auth')) return undefined;
  return { parameters, algorithm, hash, isSession: session !== undefined };
}
