import type { TestContext } from 'node:test';
import { BSON } from 'mongodb';
import { readServerOptions, type CertificateFiles } from '../../src/http/certificate.fixture.js';
import { openFramedServer } from '../../src/testing/framed-server.fixture.js';

type Fields = Readonly<Record<string, unknown>>;

export interface MongoOptions {
  readonly port?: number;
  readonly address?: string;
  readonly certificate?: CertificateFiles;
  readonly isMutual?: boolean;
  /**
   * @param count number of inserts so far, including this one
   * @returns fields of the answer; undefined: the server does not answer
   */
  answer?(count: number, documents: readonly Fields[]): Fields | undefined;
}

const [headerBytes, opReply, opQuery, opMessage] = [16, 1, 2004, 2013];

const hello = {
  helloOk: true,
  isWritablePrimary: true,
  ismaster: true,
  maxBsonObjectSize: 16 * 2 ** 20,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  minWireVersion: 0,
  maxWireVersion: 21,
  ok: 1,
};

/** For tests: a server that accepts inserts (MongoDB Wire Protocol, OP_MSG), without validating them. */
export class MongoServer {
  /** Commands in order, except those that only query the server's state. */
  readonly commands: Fields[] = [];
  /** Documents of inserts that were answered without an error. */
  readonly stored: Fields[] = [];
  readonly #options: MongoOptions;
  #inserts = 0;
  port = 0;

  constructor(options: MongoOptions) {
    this.#options = options;
  }

  get endpoint(): string {
    return `mongodb://${this.#options.address ?? 'localhost'}:${this.port}`;
  }

  takenValues(): readonly number[] {
    return this.stored.map(({ value }) => Number(value));
  }

  close = (): Promise<void> => Promise.resolve();

  async open(t: TestContext): Promise<void> {
    const { certificate, isMutual, port, address } = this.#options;
    const tls = certificate && readServerOptions(certificate, isMutual);
    const server = await openFramedServer(
      t,
      { ...(port !== undefined && { port }), ...(address !== undefined && { address }), tls },
      {
        lengthOf: (bytes) => (bytes.length < 4 ? undefined : bytes.readInt32LE()),
        answer: (message) => this.#answer(message),
      },
    );
    this.close = () => server.close();
    this.port = server.port;
  }

  #answer(message: Buffer): Buffer | undefined {
    const [id, code] = [message.readInt32LE(4), message.readInt32LE(12)];
    if (code === opQuery) return frame(opReply, id, [describeReply(), BSON.serialize(hello)]);
    const command = readMessage(message);
    const fields = 'hello' in command || 'ismaster' in command ? hello : this.#execute(command);
    if (fields === undefined) return undefined;
    return frame(opMessage, id, [Buffer.alloc(5), BSON.serialize({ ok: 1, ...fields })]);
  }

  #execute(command: Fields): Fields | undefined {
    if ('endSessions' in command) return {};
    this.commands.push(command);
    if (!('insert' in command)) return {};
    this.#inserts += 1;
    // In the message, it is a list of documents.
    const documents = (command['documents'] ?? []) as readonly Fields[];
    const { answer: decide = (): Fields => ({}) } = this.#options;
    const answer = decide(this.#inserts, documents);
    if (answer === undefined || answer['ok'] === 0) return answer;
    const refused = (answer['writeErrors'] ?? []) as readonly { readonly index: number }[];
    this.stored.push(...documents.filter((_, number) => refused.every(({ index }) => index !== number)));
    return { n: documents.length - refused.length, ...answer };
  }
}

/** Flags, cursor, position and number of documents of an OP_REPLY with one document. */
function describeReply(): Buffer {
  const fields = Buffer.alloc(20);
  fields.writeInt32LE(1, 16);
  return fields;
}

function frame(code: number, answersTo: number, parts: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(headerBytes);
  const body = Buffer.concat(parts);
  header.writeInt32LE(headerBytes + body.length);
  header.writeInt32LE(answersTo, 8);
  header.writeInt32LE(code, 12);
  return Buffer.concat([header, body]);
}

/** The sections of an OP_MSG: the command, and its lists of documents. */
function readMessage(message: Buffer): Fields {
  const fields: Record<string, unknown> = {};
  for (let at = headerBytes + 4; at < message.length;) {
    const isList = message[at] === 1;
    const end = at + 1 + message.readInt32LE(at + 1);
    if (isList) Object.assign(fields, readList(message.subarray(at + 5, end)));
    else Object.assign(fields, BSON.deserialize(message.subarray(at + 1, end)));
    at = end;
  }
  return fields;
}

function readList(section: Buffer): Fields {
  const nameEnd = section.indexOf(0);
  const documents: Fields[] = [];
  for (let at = nameEnd + 1; at < section.length; at += section.readInt32LE(at)) {
    const bytes = section.subarray(at, at + section.readInt32LE(at));
    documents.push(BSON.deserialize(bytes, { promoteValues: false }));
  }
  return { [section.toString('utf8', 0, nameEnd)]: documents };
}

/** For tests: opens a server that listens until the test ends. */
export async function openMongoServer(t: TestContext, options: MongoOptions = {}): Promise<MongoServer> {
  const server = new MongoServer(options);
  await server.open(t);
  return server;
}
