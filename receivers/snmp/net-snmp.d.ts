// The used part of the package, which has no type declarations, according to its README.
declare module 'net-snmp' {
  import type { Socket } from 'node:dgram';
  import type { EventEmitter } from 'node:events';

  interface Varbind {
    readonly oid: string;
    readonly type: number;
    readonly value: unknown;
  }

  interface SessionOptions {
    readonly port: number;
    readonly retries: number;
    readonly timeout: number;
    readonly transport: 'udp4' | 'udp6';
    readonly version: number;
    /** Whether an agent may respond with an OID before the requested one; a walk may then never end. */
    readonly backwardsGetNexts: boolean;
    /** Replaces `node:dgram`. */
    readonly dgramModule: { createSocket(type: 'udp4' | 'udp6'): Socket };
  }

  interface UserOptions {
    readonly name: string;
    readonly level: number;
    readonly authProtocol?: number | undefined;
    readonly authKey?: string | undefined;
    readonly privProtocol?: number | undefined;
    readonly privKey?: string | undefined;
  }

  type Done<Result> = (error: Error | null, result: Result) => void;

  interface Session extends EventEmitter {
    get(oids: readonly string[], done: Done<readonly Varbind[]>): void;
    subtree(
      oid: string,
      maxRepetitions: number,
      take: (varbinds: readonly Varbind[]) => boolean | undefined,
      done: (error?: Error | null) => void,
    ): void;
    close(): void;
  }

  interface Snmp {
    createSession(target: string, community: string, options: SessionOptions): Session;
    createV3Session(target: string, user: UserOptions, options: SessionOptions): Session;
    isVarbindError(varbind: Varbind): boolean;
    readonly Version1: number;
    readonly Version2c: number;
    readonly Version3: number;
    readonly ObjectType: Readonly<Record<string, number>>;
    readonly ErrorStatus: Readonly<Record<string, number>>;
    readonly SecurityLevel: Readonly<Record<string, number>>;
    readonly AuthProtocols: Readonly<Record<string, number>>;
    readonly PrivProtocols: Readonly<Record<string, number>>;
    readonly RequestTimedOutError: new (message: string) => Error;
  }

  const snmp: Snmp;
  export default snmp;
  export type { Session, Snmp, Varbind };
}
