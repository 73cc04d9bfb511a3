import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chownSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { peerPath } from './peers.js';
import { startProgram, type Program, type Scope } from './program.js';

/** The password of the role `joulemetry`. */
export const password = 'it is "secret"';

/** A PostgreSQL server with a database and a role `joulemetry`, in a new folder. */
export interface Cluster {
  /** The folder of its socket. */
  readonly folder: string;
  readonly port: number;
  readonly passwordFile: string;
  /** Runs SQL as its administrator and returns the rows, their columns separated by `|`. */
  query(sql: string): readonly string[];
  start(): Promise<Program>;
}

/** PostgreSQL refuses to run as root. */
function asOwner(program: string, args: readonly string[]): [string, ...string[]] {
  const path = join(peerPath('postgres'), program);
  if (process.getuid?.() !== 0) return [path, ...args];
  return ['setpriv', '--reuid', 'postgres', '--regid', 'postgres', '--clear-groups', path, ...args];
}

function giveToOwner(path: string): void {
  if (process.getuid?.() !== 0) return;
  const [user = 0, group = 0] = ['-u', '-g'].map((flag) =>
    Number(execFileSync('id', [flag, 'postgres']).toString()),
  );
  chownSync(path, user, group);
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost');
  await once(server, 'listening');
  // The address of a server that listens on a port.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Creates a cluster and starts it. It ends with the test at the latest.
 * @param tls files for a server with TLS
 */
export async function startCluster(
  scope: Scope,
  tls?: { readonly certFile: string; readonly keyFile: string },
): Promise<Cluster> {
  const folder = createFolder();
  giveToOwner(folder);
  const port = await findFreePort();
  const data = join(folder, 'data');
  const run = (program: string, ...args: readonly string[]) => {
    const [path, ...rest] = asOwner(program, args);
    return execFileSync(path, rest, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  };
  run('initdb', '-D', data, '-U', 'admin', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C.UTF-8');
  writeFileSync(
    join(data, 'pg_hba.conf'),
    'local all admin trust\nlocal all all scram-sha-256\nhost all all all scram-sha-256\n',
  );
  const settings = [
    `port=${port}`,
    `unix_socket_directories='${folder}'`,
    "listen_addresses='localhost'",
    'fsync=off',
  ];
  if (tls) {
    for (const [from, to] of [
      [tls.certFile, 'server.crt'],
      [tls.keyFile, 'server.key'],
    ] as const) {
      copyFileSync(from, join(data, to));
      giveToOwner(join(data, to));
    }
    settings.push('ssl=on');
  }
  appendFileSync(join(data, 'postgresql.conf'), `${settings.join('\n')}\n`);
  const query = (sql: string) => {
    const database =
      sql.startsWith('CREATE DATABASE') || sql.startsWith('CREATE ROLE') ? 'postgres' : 'joulemetry';
    const output = run(
      'psql',
      '-h',
      folder,
      '-p',
      `${port}`,
      '-U',
      'admin',
      '-d',
      database,
      '-Atq',
      '-v',
      'ON_ERROR_STOP=1',
      '-c',
      sql,
    );
    return output === '' ? [] : output.trimEnd().split('\n');
  };
  const start = async () => {
    const server = startProgram(scope, asOwner('postgres', ['-D', data]));
    await server.waitFor(/ready to accept connections/u);
    return server;
  };
  mkdirSync(join(folder, 'files'));
  const passwordFile = join(folder, 'files', 'password');
  writeFileSync(passwordFile, `${password}\n`);
  return { folder, port, passwordFile, query, start };
}

/** Creates the role and the database. */
export function createDatabase({ query }: Cluster): void {
  query(`CREATE ROLE joulemetry LOGIN PASSWORD '${password}'`);
  query('CREATE DATABASE joulemetry OWNER joulemetry');
}
