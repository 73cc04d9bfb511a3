import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

// https://www.postgresql.org/docs/current/protocol-message-formats.html

/** The answer to a statement: rows of booleans, an error by its SQLSTATE, or the end of the connection. */
export type Answer =
  | { readonly rows: readonly Readonly<Record<string, boolean>>[] }
  | { readonly state: string; readonly message: string }
  | 'hang up'
  | 'silence';

export interface PostgresServer {
  readonly endpoint: string;
  /** Statements in order of arrival, with their parameters. */
  readonly statements: readonly string[];
  /** The data of COPY statements that were completed. */
  readonly copied: readonly Buffer[];
}

export interface ServerOptions {
  /** Required from clients if set. */
  readonly password?: string;
  /** Undefined: the statement succeeds. */
  answer?(sql: string, count: number): Answer | undefined;
}

const sslRequest = 80_877_103;

function message(type: string, ...parts: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)),
  );
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const ready = message('Z', Buffer.from('I'));
const booleanType = 16;

function errorOf(state: string, text: string): Buffer {
  return message('E', 'SERROR', 'VERROR', `C${state}`, `M${text}`, Buffer.of(0));
}

function rowsOf(rows: readonly Readonly<Record<string, boolean>>[]): Buffer {
  const names = Object.keys(rows[0] ?? {});
  const fields = names.map((name) =>
    Buffer.concat([
      Buffer.from(`${name}\0`),
      int32(0),
      int16(0),
      int32(booleanType),
      int16(1),
      int32(-1),
      int16(0),
    ]),
  );
  const data = rows.map((row) => {
    const cells = names.map((name) => Buffer.concat([int32(1), Buffer.from(row[name] ? 't' : 'f')]));
    return message('D', int16(names.length), ...cells);
  });
  return Buffer.concat([message('T', int16(names.length), ...fields), ...data]);
}

/** For tests: a client session of a server that implements the part of the protocol that the exporter uses. */
class Session {
  readonly #socket: Socket;
  readonly #options: ServerOptions;
  readonly #heard: { readonly statements: string[]; readonly copied: Buffer[] };
  #pending = Buffer.alloc(0);
  #isStarted = false;
  #prepared = '';
  #copy: Buffer[] = [];

  constructor(socket: Socket, options: ServerOptions, heard: { statements: string[]; copied: Buffer[] }) {
    this.#socket = socket;
    this.#options = options;
    this.#heard = heard;
    socket.on('error', () => {});
  }

  take(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    this.#read();
  }

  #read(): void {
    for (;;) {
      const head = this.#isStarted ? 1 : 0;
      if (this.#pending.length < head + 4) return;
      const end = head + this.#pending.readInt32BE(head);
      if (this.#pending.length < end) return;
      const [type, body] = [
        String.fromCodePoint(this.#pending[0] ?? 0),
        this.#pending.subarray(head + 4, end),
      ];
      this.#pending = this.#pending.subarray(end);
      if (this.#isStarted) this.#take(type, body);
      else this.#begin(body);
    }
  }

  #begin(body: Buffer): void {
    if (body.readInt32BE() === sslRequest) {
      this.#socket.write('N');
      return;
    }
    this.#isStarted = true;
    if (this.#options.password === undefined) this.#welcome();
    else this.#socket.write(message('R', int32(3)));
  }

  #welcome(): void {
    this.#socket.write(Buffer.concat([message('R', int32(0)), ready]));
  }

  #take(type: string, body: Buffer): void {
    const text = body.toString('utf8');
    if (type === 'p' && text === `${this.#options.password}\0`) this.#welcome();
    else if (type === 'p') this.#socket.end(errorOf('28P01', 'password authentication failed'));
    else if (type === 'Q') this.#run(text.slice(0, -1), () => this.#socket.write(ready));
    else if (type === 'P') this.#prepared = text.split('\0')[1] ?? '';
    else if (type === 'B') this.#prepared += ` ${text.slice(text.indexOf('['), text.lastIndexOf(']') + 1)}`;
    else if (type === 'E') this.#run(this.#prepared);
    else if (type === 'S') this.#socket.write(ready);
    else if (type === 'd') this.#copy.push(Buffer.from(body));
    else if (type === 'c') this.#endCopy();
    else if (type === 'X') this.#socket.end();
  }

  #run(sql: string, end = () => {}): void {
    const count = this.#heard.statements.push(sql);
    const answer = this.#options.answer?.(sql, count);
    if (answer === 'hang up') this.#socket.destroy();
    else if (answer === 'silence') return;
    else if (answer && 'state' in answer) this.#socket.write(errorOf(answer.state, answer.message));
    else if (sql.startsWith('COPY')) {
      this.#copy = [];
      this.#socket.write(message('G', Buffer.of(1), int16(3), int16(1), int16(1), int16(1)));
      return;
    } else {
      const rows = answer ? rowsOf(answer.rows) : Buffer.alloc(0);
      this.#socket.write(Buffer.concat([rows, message('C', 'OK')]));
    }
    end();
  }

  #endCopy(): void {
    this.#heard.copied.push(Buffer.concat(this.#copy));
    this.#socket.write(Buffer.concat([message('C', 'COPY 1'), ready]));
  }
}

/** For tests: starts such a server, which is stopped after the test. */
export async function openPostgresServer(
  t: TestContext,
  options: ServerOptions = {},
): Promise<PostgresServer> {
  const heard = { statements: [] as string[], copied: [] as Buffer[] };
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    const session = new Session(socket, options, heard);
    socket.on('data', (chunk: Buffer) => session.take(chunk));
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  // A listening server has such an address.
  const { port } = server.address() as AddressInfo;
  return { endpoint: `localhost:${port}`, ...heard };
}
