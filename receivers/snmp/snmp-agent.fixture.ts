import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { loadSnmp } from './snmp-session.js';

/** Why SNMP cannot be used here; false if it can. */
export const noSnmp: string | false = await loadSnmp().then(
  () => false,
  () => 'the optional package net-snmp is not installed',
);

/** A value of an agent, encoded in BER. */
export interface AgentValue {
  readonly tag: number;
  readonly bytes: Buffer;
}

const tags = {
  integer: 0x02,
  text: 0x04,
  oid: 0x06,
  counter32: 0x41,
  gauge32: 0x42,
  ticks: 0x43,
  counter64: 0x46,
};
const [get, getNext, response, getBulk] = [0xa0, 0xa1, 0xa2, 0xa5];
const [noSuchObject, endOfView] = [0x80, 0x82];

function wrap(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function integerBytes(value: bigint): Buffer {
  let bytes = 1;
  while (value !== BigInt.asIntN(8 * bytes, value)) bytes++;
  return Buffer.from(
    BigInt.asUintN(8 * bytes, value)
      .toString(16)
      .padStart(2 * bytes, '0'),
    'hex',
  );
}

function oidBytes(oid: string): Buffer {
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number);
  const bytes = rest.flatMap((arc) => {
    const sevens = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      sevens.unshift(0x80 | (left & 0x7f));
    return sevens;
  });
  return Buffer.from([first * 40 + second, ...bytes]);
}

function parseOid(bytes: Buffer): string {
  const arcs = [Math.floor((bytes[0] ?? 0) / 40), (bytes[0] ?? 0) % 40];
  let arc = 0;
  for (const byte of bytes.subarray(1)) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}

export const integer = (value: number): AgentValue => ({
  tag: tags.integer,
  bytes: integerBytes(BigInt(value)),
});
export const counter32 = (value: number): AgentValue => ({
  tag: tags.counter32,
  bytes: integerBytes(BigInt(value)),
});
export const gauge32 = (value: number): AgentValue => ({
  tag: tags.gauge32,
  bytes: integerBytes(BigInt(value)),
});
export const counter64 = (value: bigint): AgentValue => ({ tag: tags.counter64, bytes: integerBytes(value) });
export const ticks = (value: number): AgentValue => ({ tag: tags.ticks, bytes: integerBytes(BigInt(value)) });
export const text = (value: string): AgentValue => ({ tag: tags.text, bytes: Buffer.from(value) });
export const oid = (value: string): AgentValue => ({ tag: tags.oid, bytes: oidBytes(value) });

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

function* readElements(bytes: Buffer): Generator<Element> {
  for (let at = 0; at < bytes.length;) {
    const short = bytes[at + 1] ?? 0;
    const head = short < 0x80 ? 2 : 2 + (short & 0x7f);
    const length = short < 0x80 ? short : Number(`0x${bytes.subarray(at + 2, at + head).toString('hex')}`);
    yield { tag: bytes[at] ?? 0, content: bytes.subarray(at + head, at + head + length) };
    at += head + length;
  }
}

interface AgentRequest {
  readonly version: Buffer;
  readonly community: string;
  readonly kind: number;
  readonly id: Buffer;
  /** Repetition in a bulk request. */
  readonly index: number;
  readonly oids: readonly string[];
}

function parseRequest(message: Buffer): AgentRequest {
  const [whole] = readElements(message);
  const [version, community, pdu] = readElements(whole?.content ?? Buffer.of());
  const [id, , index, list] = readElements(pdu?.content ?? Buffer.of());
  const oids = [...readElements(list?.content ?? Buffer.of())].map(({ content }) => {
    const [name] = readElements(content);
    return parseOid(name?.content ?? Buffer.of());
  });
  return {
    version: version?.content ?? Buffer.of(),
    community: community?.content.toString() ?? '',
    kind: pdu?.tag ?? 0,
    id: id?.content ?? Buffer.of(),
    index: index?.content.readUIntBE(0, index.content.length) ?? 0,
    oids,
  };
}

function compareOids(a: string, b: string): number {
  const [left, right] = [a, b].map((one) => one.split('.').map(Number));
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i++) {
    const difference = (left?.[i] ?? -1) - (right?.[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** An agent of SNMP 1 and 2c, with configurable faults. */
export class Agent {
  readonly objects = new Map<string, AgentValue>();
  community = 'public';
  /** Number of datagrams that are not answered. */
  lost = 0;
  /** Responses with more objects are refused (`tooBig`). */
  maxObjects = Infinity;
  /** Changes a response. */
  damage: (answer: Buffer) => Buffer = (answer) => answer;
  /** Delay of a response. */
  delayMs = 0;
  requests = 0;
  readonly #host: string;
  #port = 0;
  #socket: Socket | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(host = '127.0.0.1') {
    this.#host = host;
  }

  get endpoint(): string {
    return `${this.#host}:${this.#port}`;
  }

  async listen(t: TestContext): Promise<this> {
    await this.open();
    t.after(() => this.close());
    return this;
  }

  /** Listens, always on the same port. */
  async open(): Promise<void> {
    const socket = createSocket('udp4');
    socket.on('message', (message: Buffer, from: RemoteInfo) => {
      this.requests++;
      const answer = this.#answer(parseRequest(message));
      if (answer === undefined) return;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        socket.send(this.damage(answer), from.port, from.address);
      }, this.delayMs);
      this.#timers.add(timer);
    });
    socket.bind(this.#port, this.#host);
    await once(socket, 'listening');
    this.#port = socket.address().port;
    this.#socket = socket;
  }

  close(): void {
    this.#timers.forEach(clearTimeout);
    this.#timers.clear();
    this.#socket?.close();
    this.#socket = undefined;
  }

  #answer(request: AgentRequest): Buffer | undefined {
    if (this.lost > 0) return void this.lost--;
    if (request.community !== this.community) return undefined;
    const { kind, oids, index } = request;
    if (kind === get) {
      const isV1 = request.version[0] === 0;
      const missing = oids.findIndex((one) => !this.objects.has(one));
      if (oids.length > this.maxObjects) return encode(request, [], 1);
      if (isV1 && missing >= 0) return encode(request, [], 2, missing + 1);
      return encode(
        request,
        oids.map((one) => [one, this.objects.get(one) ?? empty(noSuchObject)]),
      );
    }
    if (kind !== getNext && kind !== getBulk) return undefined;
    const count = kind === getBulk ? index : 1;
    const found = oids.flatMap((one) => this.#after(one, count));
    const isOver = kind === getNext && found.some(([, { tag }]) => tag === endOfView);
    return isOver ? encode(request, [], 2, 1) : encode(request, found);
  }

  #after(from: string, count: number): readonly Binding[] {
    const sorted = [...this.objects].toSorted(([a], [b]) => compareOids(a, b));
    const after = sorted.filter(([one]) => compareOids(one, from) > 0).slice(0, count);
    return after.length === 0 ? [[from, empty(endOfView)]] : after;
  }
}

type Binding = readonly [string, AgentValue];

function empty(tag: number): AgentValue {
  return { tag, bytes: Buffer.of() };
}

function encode(request: AgentRequest, bindings: readonly Binding[], status = 0, index = 0): Buffer {
  const { version, community, id } = request;
  const list = bindings.map(([name, { tag, bytes }]) =>
    wrap(0x30, wrap(tags.oid, oidBytes(name)), wrap(tag, bytes)),
  );
  const numbers = [status, index].map((value) => wrap(tags.integer, integerBytes(BigInt(value))));
  const pdu = wrap(response, wrap(tags.integer, id), ...numbers, wrap(0x30, ...list));
  return wrap(0x30, wrap(tags.integer, version), wrap(tags.text, Buffer.from(community)), pdu);
}

/** A PDU of APC with two outlets. */
export function fillApc(agent: Agent): void {
  const apc = '1.3.6.1.4.1.318.1.1.26';
  const objects: Readonly<Record<string, AgentValue>> = {
    '1.3.6.1.2.1.1.2.0': oid('1.3.6.1.4.1.318.1.3.4.6'),
    '1.3.6.1.2.1.1.3.0': ticks(360_000),
    [`${apc}.4.3.1.3.1`]: text('rack 5'),
    [`${apc}.4.3.1.5.1`]: integer(42),
    [`${apc}.4.3.1.9.1`]: integer(12_345),
    [`${apc}.6.3.1.5.1`]: integer(18),
    [`${apc}.6.3.1.6.1`]: integer(230),
    [`${apc}.6.3.1.7.1`]: integer(-1),
    [`${apc}.9.4.3.1.3.1`]: text('node-1'),
    [`${apc}.9.4.3.1.3.2`]: text('node-2'),
    [`${apc}.9.4.3.1.6.1`]: integer(9),
    [`${apc}.9.4.3.1.6.2`]: integer(8),
    [`${apc}.9.4.3.1.7.1`]: integer(205),
    [`${apc}.9.4.3.1.7.2`]: integer(184),
    [`${apc}.9.4.3.1.11.1`]: integer(6000),
    [`${apc}.9.4.3.1.11.2`]: integer(5000),
  };
  for (const [name, value] of Object.entries(objects)) agent.objects.set(name, value);
}
