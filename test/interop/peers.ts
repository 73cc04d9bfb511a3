/** External programs that these tests talk to. */
export type PeerName =
  | 'chdb'
  | 'datafusion'
  | 'ferretdb'
  | 'flux'
  | 'kafka'
  | 'opensearch'
  | 'influxd'
  | 'libfaketime'
  | 'otelcol'
  | 'otlp-answers'
  | 'pandas'
  | 'postgres'
  | 'prometheus'
  | 'prometheus-otlp'
  | 'promtool'
  | 'python'
  | 'scipy'
  | 'victoria-metrics';

/** Path of a program, or why it is not available. */
export type Peer = { readonly path: string } | { readonly reason: string };

export type Peers = Readonly<Record<PeerName, Peer>>;

/** Environment variable that passes the prepared peers to the tests. */
export const peersVariable = 'JOULEMETRY_INTEROP_PEERS';

const isRequired = process.env['JOULEMETRY_TEST_INTEROP'] === 'required';

function findPeer(name: PeerName): Peer {
  // Written by main.ts as Peers.
  const peers = JSON.parse(process.env[peersVariable] ?? '{}') as Partial<Peers>;
  return peers[name] ?? { reason: `${name}: start these tests with npm run test:interop` };
}

/** For `skip`: why a test cannot talk to its peers. False where it can, and where it must. */
export function isWithout(...names: readonly PeerName[]): string | false {
  if (isRequired) return false;
  const reasons = names.map(findPeer).flatMap((peer) => ('reason' in peer ? [peer.reason] : []));
  return reasons.length > 0 && reasons.join('; ');
}

/**
 * The path of a program.
 * @throws Error with the reason why it is not available
 */
export function peerPath(name: PeerName): string {
  const peer = findPeer(name);
  if ('reason' in peer) throw new Error(`Cannot start ${name}: ${peer.reason}`);
  return peer.path;
}
