import type { TestContext } from 'node:test';
import { readServerOptions, type CertificateFiles } from '../../src/http/certificate.fixture.js';
import { decodePoints } from '../../src/otlp/decode-request.fixture.js';
import { openFramedServer } from '../../src/testing/framed-server.fixture.js';
import { KafkaReader, KafkaWriter, readRecordBatch, type KafkaRecord } from './kafka-bytes.fixture.js';

/** What a broker accepted or rejected. */
export interface Produced extends KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly acks: number;
  /** 0: accepted. */
  readonly error: number;
}

export interface BrokerOptions {
  readonly port?: number;
  readonly address?: string;
  readonly partitions?: number;
  readonly certificate?: CertificateFiles;
  readonly isMutual?: boolean;
  /** The user and password required for PLAIN, separated by a colon. */
  readonly user?: string;
  /**
   * @param count number of produce requests so far, including this one
   * @param bytes of its records
   * @returns an error code, 0 for none; undefined: the broker does not answer
   */
  answer?(count: number, bytes: number): number | undefined;
}

const apis = { produce: 0, metadata: 3, saslHandshake: 17, apiVersions: 18, saslAuthenticate: 36 };
/** The only version of each request that this broker supports. */
const versions: readonly (readonly [api: number, version: number])[] = [
  [apis.produce, 7],
  [apis.metadata, 9],
  [apis.saslHandshake, 1],
  [apis.apiVersions, 3],
  [apis.saslAuthenticate, 2],
];

/** For tests: a broker that uses one topic for everything, as far as a producer can see. */
export class KafkaBroker {
  readonly produced: Produced[] = [];
  /** Of `user:password`. */
  readonly logins: string[] = [];
  readonly #options: BrokerOptions;
  #requests = 0;
  port = 0;

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  get address(): string {
    return `${this.#options.address ?? 'localhost'}:${this.port}`;
  }

  /** Values of the points that it accepted, in order of arrival. */
  takenValues(): readonly (number | bigint | undefined)[] {
    return this.produced
      .filter(({ error }) => error === 0)
      .flatMap(({ value }) => decodePoints(value))
      .map(({ value }) => value);
  }

  async open(t: TestContext): Promise<void> {
    const { certificate, isMutual, port, address } = this.#options;
    const tls = certificate && readServerOptions(certificate, isMutual);
    const server = await openFramedServer(
      t,
      { ...(port !== undefined && { port }), ...(address !== undefined && { address }), tls },
      {
        lengthOf: (bytes) => (bytes.length < 4 ? undefined : 4 + bytes.readInt32BE()),
        answer: (message) => this.#answer(new KafkaReader(message.subarray(4)))?.finish(),
      },
    );
    this.close = () => server.close();
    this.port = server.port;
  }

  close = (): Promise<void> => Promise.resolve();

  #answer(request: KafkaReader): KafkaWriter | undefined {
    const api = request.int16();
    request.int16();
    const answer = new KafkaWriter().int32(request.int32());
    request.text();
    if (api === apis.produce) return this.#produce(request, answer);
    if (api === apis.saslHandshake) return answer.int16(0).int32(1).text('PLAIN');
    if (api === apis.apiVersions) return describeVersions(answer);
    request.varint();
    // The tagged fields of these answers' headers.
    answer.int8(0);
    return api === apis.metadata ? this.#describe(request, answer) : this.#authenticate(request, answer);
  }

  #describe(request: KafkaReader, answer: KafkaWriter): KafkaWriter {
    const topics = request.compactList(() => {
      const name = request.compactText();
      request.int8();
      return name;
    });
    const { partitions = 1, address = 'localhost' } = this.#options;
    answer.int32(0).int8(2).int32(1).compactText(address).int32(this.port).int8(0, 0);
    answer.compactText('cluster').int32(1);
    answer.int8(topics.length + 1);
    for (const topic of topics) {
      answer.int16(0).compactText(topic).int8(0);
      answer.int8(partitions + 1);
      for (let partition = 0; partition < partitions; partition += 1) {
        answer.int16(0).int32(partition, 1, 0).int8(2).int32(1).int8(2).int32(1).int8(1, 0);
      }
      answer.int32(0).int8(0);
    }
    return answer.int32(0).int8(0);
  }

  #authenticate(request: KafkaReader, answer: KafkaWriter): KafkaWriter {
    const [, user = '', password = ''] = request.compactBytes().toString().split('\0');
    const login = `${user}:${password}`;
    this.logins.push(login);
    const isRight = login === this.#options.user;
    answer.int16(isRight ? 0 : 58);
    if (isRight) answer.int8(0);
    else answer.compactText('Invalid username or password');
    return answer.int8(1).int64(0).int8(0);
  }

  #produce(request: KafkaReader, answer: KafkaWriter): KafkaWriter | undefined {
    this.#requests += 1;
    request.text();
    const acks = request.int16();
    request.int32();
    const batches = request.list(() => {
      const topic = request.text();
      return request.list(() => ({
        topic,
        partition: request.int32(),
        bytes: request.take(request.int32()),
      }));
    });
    const size = batches.flat().reduce((sum, { bytes }) => sum + bytes.length, 0);
    const { answer: decide = () => 0 } = this.#options;
    const error = decide(this.#requests, size);
    for (const { topic, partition, bytes } of batches.flat()) {
      for (const record of readRecordBatch(bytes))
        this.produced.push({ ...record, topic, partition, acks, error: error ?? -1 });
    }
    return acks === 0 || error === undefined ? undefined : describeProduced(answer, batches, error);
  }
}

function describeProduced(
  answer: KafkaWriter,
  topics: readonly (readonly { readonly topic: string; readonly partition: number }[])[],
  error: number,
): KafkaWriter {
  answer.int32(topics.length);
  for (const partitions of topics) {
    answer.text(partitions[0]?.topic ?? '').int32(partitions.length);
    for (const { partition } of partitions) answer.int32(partition).int16(error).int64(0, -1, 0);
  }
  return answer.int32(0);
}

function describeVersions(answer: KafkaWriter): KafkaWriter {
  answer.int16(0).int8(versions.length + 1);
  for (const [api, version] of versions) answer.int16(api, version, version).int8(0);
  return answer.int32(0).int8(0);
}

/** For tests: opens a broker that listens until the test ends. */
export async function openKafkaBroker(t: TestContext, options: BrokerOptions = {}): Promise<KafkaBroker> {
  const broker = new KafkaBroker(options);
  await broker.open(t);
  return broker;
}
