import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCertificate } from '../../src/http/certificate.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { peerPath } from './peers.js';
import { startProgram, type Program, type Scope } from './program.js';

/** Addresses of the broker: without TLS, and with TLS and a user. */
export const plainAddress = 'localhost:19092';
export const secureAddress = 'localhost:19094';
export const user = { username: 'meter', password: 'secret' };

const consumerSource = fileURLToPath(
  new URL('../../../test/interop/peers/ConsumeTopic.java', import.meta.url),
);

function startJava(t: Scope, args: readonly string[]): Program {
  const classPath = join(peerPath('kafka'), '*');
  return startProgram(t, ['java', '-Xmx512m', '-XX:TieredStopAtLevel=1', '-cp', classPath, ...args]);
}

function describeBroker(folder: string): string {
  return `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:19093
listeners=PLAIN://${plainAddress},SECURE://${secureAddress},CONTROLLER://localhost:19093
advertised.listeners=PLAIN://${plainAddress},SECURE://${secureAddress}
listener.security.protocol.map=PLAIN:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAIN
controller.listener.names=CONTROLLER
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location=${join(folder, 'server.pem')}
log.dirs=${join(folder, 'logs')}
num.partitions=3
message.max.bytes=200000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
`;
}

/** A broker with this certificate, started for the test. */
export interface KafkaServer {
  readonly certFile: string;
  /** Kills it at once. */
  kill(): Promise<void>;
  /** Starts it again with its stored messages. */
  restart(): void;
}

export async function startKafka(t: Scope): Promise<KafkaServer> {
  const folder = createFolder();
  const { certFile, keyFile } = createCertificate();
  const pem = [keyFile, certFile].map((file) => readFileSync(file, 'utf8')).join('');
  writeFileSync(join(folder, 'server.pem'), pem, { mode: 0o600 });
  const file = join(folder, 'server.properties');
  writeFileSync(file, describeBroker(folder));
  const scram = `SCRAM-SHA-512=[name=${user.username},password=${user.password}]`;
  const format = ['format', '-t', 'MkU3OEVBNTcwNTJENDM2Qk', '-c', file, '--add-scram', scram];
  await startJava(t, ['kafka.tools.StorageTool', ...format]).waitFor(/Formatting metadata/u);
  let broker = startJava(t, ['kafka.Kafka', file]);
  return {
    certFile,
    kill: () => broker.stop('SIGKILL'),
    restart: () => (broker = startJava(t, ['kafka.Kafka', file])),
  };
}

/** A message as read by Kafka's own consumer. */
export interface ConsumedMessage {
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer;
}

/** Starts Kafka's own consumer. @returns the messages of a topic so far */
export function consumeTopic(t: Scope, topic: string): () => readonly ConsumedMessage[] {
  const consumer = startJava(t, [consumerSource, plainAddress, topic]);
  return () => [...consumer.output().matchAll(/^(\d+) (\S+) 0x(\S+)\n/gmu)].map(toMessage);
}

function toMessage([, partition, key = '', value = '']: RegExpMatchArray): ConsumedMessage {
  return { partition: Number(partition), key, value: Buffer.from(value, 'hex') };
}
