import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../../src/errors.js';
import type { Peer } from './peers.js';

/** Programs to fetch with all their dependencies, `group:artifact:version` each. */
const programs = {
  kafka: ['org.apache.kafka:kafka_2.13:4.1.0'],
  opensearch: [
    'org.opensearch:opensearch:2.19.3',
    'org.opensearch.plugin:transport-netty4-client:2.19.3',
    'org.apache.logging.log4j:log4j-core:2.21.0',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export interface JarTools {
  /** Folder of the cache. */
  readonly cache: string;
  find(program: string): Peer;
  /** @throws Error with the last line of the program's output */
  execute(program: string, args: readonly string[]): void;
}

/** A folder with the jars of a server from Maven Central; fetched once. */
export function prepareJars(name: keyof typeof programs, { cache, find, execute }: JarTools): Peer {
  const artifacts = programs[name];
  const path = join(cache, `${name}-${artifacts[0].split(':').at(-1)}-jars`);
  if (existsSync(path)) return { path };
  for (const peer of ['java', 'mvn'].map(find)) if ('reason' in peer) return peer;
  const folder = `${path}.building-${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    const pom = join(folder, 'pom.xml');
    writeFileSync(pom, describeProject(artifacts));
    const target = join(folder, 'jars');
    execute('mvn', ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${target}`]);
    renameSync(target, path);
    return { path };
  } catch (error) {
    return { reason: `Cannot fetch ${name}: ${describeError(error)}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function describeProject(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, version] = artifact.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>interop</groupId><artifactId>interop</artifactId><version>1</version>
<dependencies>${dependencies.join('')}</dependencies></project>`;
}
