import { existsSync } from 'node:fs';
import type { Context } from '../../src/component/component.js';
import { readTimeout, type Config } from './config.js';
import { Kubelet } from './kubelet.js';
import { KubernetesClient, type KubernetesOptions } from './kubernetes-client.js';
import type { NameSource } from './lookup.js';
import { PodWatch } from './pod-watch.js';
import { Source } from './source.js';

/** Where a pod finds its token and the certificate of the cluster's CA. */
const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';

const nameRemedy =
  'set node_name, or add to the container: env: [{name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]';

/** The API server, if its address and the name of this node are known. */
export function findApiServer(config: Config, { log }: Context): readonly NameSource[] {
  const { endpoint, ...client } = config.api_server;
  const address = endpoint ?? findServiceAddress();
  if (address === undefined) {
    if (config.sources.includes('api_server')) {
      log.warn(
        'Cannot find the API server: expected KUBERNETES_SERVICE_HOST in the environment, found none; set api_server.endpoint',
      );
    }
    return [];
  }
  const nodeName = findNodeName(config);
  if (nodeName === undefined) {
    log.warn(
      `Cannot ask the API server for the pods of this node: expected the name of the node, found none; ${nameRemedy}`,
    );
    return [];
  }
  const rights = 'list and watch of pods';
  const url = new URL(address);
  const { labels, annotations } = config;
  const watch = new PodWatch(url, openClient({ url, client, rights, log }), {
    labels,
    annotations,
    nodeName,
    log,
  });
  watch.begin();
  return [watch];
}

/** The kubelet of this node, if its address or the name of this node is known. */
export function findKubelet(config: Config, { log }: Context): readonly NameSource[] {
  const { endpoint, ...client } = config.kubelet;
  const nodeName = findNodeName(config);
  if (endpoint === null && nodeName === undefined) {
    log.warn(
      `Cannot ask the kubelet: expected its address or the name of this node, found none; set kubelet.endpoint, or ${nameRemedy}`,
    );
    return [];
  }
  const url = new URL(endpoint ?? `https://${nodeName}:10250`);
  const rights = 'get of nodes/pods, and before Kubernetes 1.33 of nodes/proxy';
  const { labels, annotations } = config;
  const timeoutMs = readTimeout(config);
  const kubelet = new Kubelet(url, openClient({ url, client, rights, log }), {
    labels,
    annotations,
    timeoutMs,
  });
  return [new Source(kubelet, log)];
}

function findNodeName({ node_name: name }: Config): string | undefined {
  return name ?? (process.env['NODE_NAME'] || process.env['K8S_NODE_NAME'] || undefined);
}

function findServiceAddress(): string | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = process.env;
  if (host === undefined || host === '') return undefined;
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** In a pod, the defaults are the pod's service account files. */
function openClient(options: KubernetesOptions): KubernetesClient {
  const { url, client } = options;
  if (url.protocol !== 'https:') return new KubernetesClient(options);
  const { credentials, tls } = client;
  const hasOther = credentials.username !== null;
  return new KubernetesClient({
    ...options,
    client: {
      ...client,
      credentials: {
        ...credentials,
        bearer_token_file: credentials.bearer_token_file ?? (hasOther ? null : findFile('token')),
      },
      tls: { ...tls, ca_file: tls.ca_file ?? findFile('ca.crt') },
    },
  });
}

function findFile(name: string): string | null {
  const path = `${serviceAccount}/${name}`;
  return existsSync(path) ? path : null;
}
