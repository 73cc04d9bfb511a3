import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Session, Snmp, Varbind } from 'net-snmp';
import { parseEndpoint } from '../../src/config/endpoint.js';
import { describeError, UnavailableError } from '../../src/errors.js';
import type { Config, Endpoint } from './config.js';

/**
 * The value of an object: a number of up to 64 bits, or bytes. Undefined: the agent does not have it, or it has
 * another type.
 */
export type SnmpValue = number | bigint | Buffer | string | undefined;

/** An object of an agent. */
export interface SnmpObject {
  readonly value: SnmpValue;
  /** Whether it is a 32-bit counter, which wraps. */
  readonly isCounter32: boolean;
}

/** Reads the objects of a device by OID. */
export interface SnmpClient {
  /**
   * Reads objects by OID; those that the agent does not have are left out. @throws Error if it does not
   * respond, or refuses
   */
  get(oids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, SnmpObject>>;
  /**
   * Reads all objects below an OID, by the rest of their OID: `1.5`. @throws Error if the agent does not
   * respond, or refuses
   */
  walk(oid: string, signal: AbortSignal): Promise<ReadonlyMap<string, SnmpObject>>;
  close(): void;
}

/** Maximum rows of a table: an agent may also respond endlessly. */
const maxRows = 5000;
/** Objects per request, so that responses fit into one packet. */
const objectsPerRequest = 20;
const rowsPerRequest = 20;

/**
 * Loads the optional package for SNMP.
 * @throws UnavailableError if it is not installed
 */
export async function loadSnmp(): Promise<Snmp> {
  try {
    const { default: snmp } = await import('net-snmp');
    return snmp;
  } catch (error) {
    throw new UnavailableError(
      `Cannot load the package net-snmp: ${describeError(error)}; install it: npm install net-snmp`,
      { cause: error },
    );
  }
}

/** A session with one device. Requests are sent one after another, since small agents lose simultaneous ones. */
export class SnmpSession implements SnmpClient {
  readonly #snmp: Snmp;
  readonly #endpoint: Endpoint;
  readonly #limits: Pick<Config, 'timeout' | 'retries'>;
  #session: Session | undefined;
  #objectsPerRequest = objectsPerRequest;
  /** Why a datagram could not be used, since the last response. */
  #garbage: string | undefined;

  constructor(snmp: Snmp, endpoint: Endpoint, limits: Pick<Config, 'timeout' | 'retries'>) {
    this.#snmp = snmp;
    this.#endpoint = endpoint;
    this.#limits = limits;
  }

  async get(oids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, SnmpObject>> {
    const found = new Map<string, SnmpObject>();
    for (let from = 0; from < oids.length;) {
      const part = oids.slice(from, from + this.#objectsPerRequest);
      from += part.length;
      await this.#getPart(part, found, signal);
    }
    return found;
  }

  /** A version 1 agent refuses a request if it lacks one of the objects; any agent may find its response too big. */
  async #getPart(
    oids: readonly string[],
    found: Map<string, SnmpObject>,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const varbinds = await this.#ask<readonly Varbind[]>(signal, (session, done) =>
        session.get(oids, done),
      );
      for (const varbind of varbinds) this.#keep(found, varbind.oid, varbind);
    } catch (error) {
      const isMissing = this.#hasStatus(error, 'NoSuchName');
      const isTooBig = this.#hasStatus(error, 'TooBig');
      if (isMissing && oids.length === 1) return;
      if (!(isMissing || isTooBig) || oids.length === 1) throw error;
      const half = Math.ceil(oids.length / 2);
      if (isTooBig) this.#objectsPerRequest = half;
      await this.#getPart(oids.slice(0, half), found, signal);
      await this.#getPart(oids.slice(half), found, signal);
    }
  }

  async walk(oid: string, signal: AbortSignal): Promise<ReadonlyMap<string, SnmpObject>> {
    const found = new Map<string, SnmpObject>();
    const take = (varbinds: readonly Varbind[]) => {
      for (const varbind of varbinds) this.#keep(found, varbind.oid.slice(oid.length + 1), varbind);
      return found.size >= maxRows;
    };
    await this.#ask<undefined>(signal, (session, done) => {
      session.subtree(oid, rowsPerRequest, take, (error) => done(error ?? null, undefined));
    });
    return found;
  }

  close(): void {
    const session = this.#session;
    this.#session = undefined;
    session?.close();
  }

  #keep(found: Map<string, SnmpObject>, key: string, varbind: Varbind): void {
    if (this.#snmp.isVarbindError(varbind)) return;
    const { Counter: counter32, Counter64: counter64 } = this.#snmp.ObjectType;
    const { type, value } = varbind;
    const isWide = type === counter64 && Buffer.isBuffer(value);
    found.set(key, { value: isWide ? readWide(value) : valueOf(value), isCounter32: type === counter32 });
  }

  async #ask<Result>(
    signal: AbortSignal,
    send: (session: Session, done: (error: Error | null, result: Result) => void) => void,
  ): Promise<Result> {
    signal.throwIfAborted();
    const session = (this.#session ??= this.#open());
    const giveUp = () => this.close();
    signal.addEventListener('abort', giveUp);
    try {
      return await new Promise<Result>((resolve, reject) => {
        send(session, (error, result) => (error ? reject(error) : resolve(result)));
      });
    } catch (error) {
      throw this.#describe(error);
    } finally {
      signal.removeEventListener('abort', giveUp);
      this.#garbage = undefined;
    }
  }

  #open(): Session {
    const { Version1: v1, Version2c: v2c, Version3: v3 } = this.#snmp;
    const { endpoint, version, community } = this.#endpoint;
    const { host, port } = parseEndpoint(endpoint);
    const options = {
      port,
      retries: this.#limits.retries,
      timeout: this.#limits.timeout,
      transport: isIPv6(host) ? ('udp6' as const) : ('udp4' as const),
      version: { '1': v1, '2c': v2c, '3': v3 }[version],
      backwardsGetNexts: false,
      dgramModule: {
        createSocket: (type: 'udp4' | 'udp6') => guardSocket(createSocket(type), this.#noteGarbage),
      },
    };
    const session =
      version === '3'
        ? this.#snmp.createV3Session(host, this.#createUser(), options)
        : this.#snmp.createSession(host, community, options);
    session.on('error', this.#noteGarbage);
    return session;
  }

  readonly #noteGarbage = (error: unknown): void => {
    this.#garbage = describeError(error);
  };

  #createUser() {
    const { SecurityLevel: levels, AuthProtocols: auths, PrivProtocols: privacies } = this.#snmp;
    const { user, auth_protocol: auth, privacy_protocol: privacy } = this.#endpoint;
    const level = privacy !== 'none' ? 'authPriv' : auth !== 'none' ? 'authNoPriv' : 'noAuthNoPriv';
    return {
      name: user,
      level: levels[level] ?? NaN,
      ...(auth !== 'none' && { authProtocol: auths[auth], authKey: this.#endpoint.auth_password }),
      ...(privacy !== 'none' && {
        privProtocol: privacies[privacy],
        privKey: this.#endpoint.privacy_password,
      }),
    };
  }

  #hasStatus(error: unknown, name: string): boolean {
    return error instanceof Error && 'status' in error && error.status === this.#snmp.ErrorStatus[name];
  }

  #describe(error: unknown): unknown {
    if (!(error instanceof this.#snmp.RequestTimedOutError)) return error;
    const { timeout, retries } = this.#limits;
    const found = this.#garbage === undefined ? 'none' : `what is none: ${this.#garbage}`;
    const tries = retries === 0 ? '' : `, ${retries + 1} times`;
    const remedy = 'agents do not answer another version, community or address than theirs';
    return new Error(`expected an answer within ${timeout} ms${tries}, found ${found}; ${remedy}`, {
      cause: error,
    });
  }
}

/** An exception of the package on a received datagram must not end the process: the datagram counts as lost. */
function guardSocket(socket: Socket, onError: (error: unknown) => void): Socket {
  const on = socket.on.bind(socket);
  const guarded = (event: string, listener: (...values: unknown[]) => void) =>
    on(event, (...values: unknown[]) => {
      try {
        listener(...values);
      } catch (error) {
        onError(error);
      }
    });
  return Object.assign(socket, { on: guarded });
}

/** A number of up to 64 bits, for which the package returns the bytes without leading zeros. */
function readWide(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`);
}

function valueOf(value: unknown): SnmpValue {
  if (typeof value === 'number' || typeof value === 'string' || Buffer.isBuffer(value)) return value;
  return undefined;
}
