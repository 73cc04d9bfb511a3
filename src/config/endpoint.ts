/** Where a server listens or is reached. An empty host means every interface. */
export interface Endpoint {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/**
 * Takes `host:port`, `[::1]:port` or `:port` apart.
 * @throws Error when it is none of these
 */
export function parseEndpoint(text: string): Endpoint {
  const [, bracketed, plain = '', digits] = /^(?:\[([^\]]+)\]|([^\s/[\]:]*)):(\d{1,5})$/u.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new Error(`Cannot parse endpoint "${text}": wanted host:port, [::1]:port or :port`);
  }
  return { host: bracketed ?? plain, port };
}
