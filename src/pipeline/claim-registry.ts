import type { Claims } from '../component/claims.js';

/** What the receivers of one collector have claimed, whatever pipelines they feed. */
export class ClaimRegistry {
  readonly #ownerByKey = new Map<string, string>();

  /** The claims of one receiver. */
  claimsFor(receiverId: string): Claims {
    return {
      claim: (key) => {
        const owner = this.#findOther(key, receiverId);
        if (owner === undefined) this.#ownerByKey.set(key, receiverId);
        return owner;
      },
    };
  }

  /** The receiver has stopped: what it had can be claimed. */
  release(receiverId: string): void {
    for (const [key, owner] of this.#ownerByKey) if (owner === receiverId) this.#ownerByKey.delete(key);
  }

  /** Who else has the key, a part of it or a whole that holds it. */
  #findOther(key: string, receiverId: string): string | undefined {
    for (const [taken, owner] of this.#ownerByKey) {
      if (owner !== receiverId && overlap(taken, key)) return owner;
    }
    return undefined;
  }
}

function overlap(one: string, other: string): boolean {
  return `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);
}
