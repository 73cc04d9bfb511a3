/** A component's key in the configuration: its type, and a name where there are several of one type. */
export interface ComponentId {
  /** As written, without spaces around the parts: `rapl` or `rapl/second`. */
  readonly id: string;
  readonly type: string;
}

const typePattern = /^[a-zA-Z][0-9a-zA-Z_]{0,62}$/u;
const namePattern = /^[^\p{Z}\p{C}\p{S}]{1,1024}$/u;

/** @throws Error saying what is wrong with the id */
export function parseComponentId(text: string): ComponentId {
  const slash = text.indexOf('/');
  const type = (slash < 0 ? text : text.slice(0, slash)).trim();
  const name = slash < 0 ? undefined : text.slice(slash + 1).trim();
  if (!typePattern.test(type)) {
    throw new Error(
      `expected a component type of letters, digits and underscores after a first letter, found "${type}"`,
    );
  }
  if (name !== undefined && !namePattern.test(name)) {
    throw new Error(
      `expected a component name of 1 to 1024 characters without spaces and symbols, found "${name}"`,
    );
  }
  return { id: name === undefined ? type : `${type}/${name}`, type };
}

/** An id without spaces around its parts, right or wrong, so that `rapl / second` is found as `rapl/second`. */
export function normalizeId(text: string): string {
  const slash = text.indexOf('/');
  return slash < 0 ? text.trim() : `${text.slice(0, slash).trim()}/${text.slice(slash + 1).trim()}`;
}
