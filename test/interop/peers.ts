/** Programs that are not ours, which the tests here talk to. */
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
  | 'scipy';

/** Where a program is, or why it cannot be had. */
export type Peer = { readonly path: string } | { readonly reason: string };

export type Peers = Readonly<Record<PeerName, Peer>>;

/** Names the environment variable by which the tests learn what was prepared. */
export const peersVariable = 'JOULEMETRY_INTEROP_PEERS';

const isRequired = process.env['JOULEMETRY_TEST_INTEROP'] === 'required';

function findPeer(name: PeerName): Peer {
  // Written by main.ts as Peers.
  const peers = JSON.parse(process.env[peersVariable] ?? '{}') as Partial<Peers>;
  return peers[name] ?? { reason: `${name}: start these tests with npm run test:interop` };
}

/** For `skip`: why a test cannot talk to its peers. False where it can, and where it has to. */
export function isWithout(...names: readonly PeerName[]): string | false {
  if (isRequired) return false;
  const reasons = names.map(findPeer).flatMap((peer) => ('reason' in peer ? [peer.reason] : []));
  return reasons.length > 0 && reasons.join('; ');
}

/**
 * The path of a program.
 * @throws Error with the reason why there is none
 */
export function peerPath(name: PeerName): string {
  const peer = findPeer(name);
  if ('reason' in peer) throw new Error(`Cannot start ${name}: ${peer.reason}`);
  return peer.path;
}
