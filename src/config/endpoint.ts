/** A host and a port to listen on or to connect to. */
export interface Endpoint {
  /** Empty: every interface. */
  readonly host: string;
  readonly port: number;
}

/** Understands `host:port`, `[::1]:port` and `:port`; undefined when the text is none of these. */
export function parseEndpointText(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]*)):(\d{1,5})$/u.exec(text);
  if (!match) return undefined;
  const port = Number(match[3]);
  return port <= 65_535 ? { host: match[1] ?? match[2], port } : undefined;
}
