import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeError } from '../../src/errors.js';
import { prepareJars, type JarTools } from './java-jars.js';
import type { Peer, Peers } from './peers.js';

const sources = fileURLToPath(new URL('../../../test/interop/peers/', import.meta.url));
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'joulemetry');
const prometheusVersion = '0.314.0';
const victoriaMetricsVersion = '1.151.0';
const ferretdbVersion = '1.24.2';
/** The last versions before a dependency on a Rust library. */
const fluxVersion = '0.31.1';
const longestBuildMs = 40 * 60_000;

/** Why something could not be built, in this run. */
const refused = new Map<string, string>();

const jarTools: JarTools = { cache, find: findInstalled, execute };

/** Finds or builds every peer. An unavailable peer has a reason; never throws. */
export function preparePeers(): Peers {
  installPrometheus();
  return {
    otelcol: buildOtelcol('otelcol'),
    'otlp-answers': buildOtelcol('otlp-answers'),
    prometheus: findInstalled('prometheus'),
    promtool: findInstalled('promtool'),
    'prometheus-otlp': buildPrometheus(),
    python: findPython(['duckdb', 'pandas', 'pyarrow']),
    scipy: findPython(['numpy', 'scipy']),
    pandas: findPython(['numpy', 'pandas']),
    chdb: findPython(['chdb']),
    datafusion: findPython(['datafusion', 'pyarrow']),
    postgres: findPostgres(),
    kafka: prepareJars('kafka', jarTools),
    opensearch: prepareJars('opensearch', jarTools),
    ferretdb: buildFerretdb(),
    flux: buildFlux(),
    influxd: findInstalled('influxd'),
    libfaketime: findFaketime(),
    'victoria-metrics': buildVictoriaMetrics(),
  };
}

/** Debian's package, where this process may install one. */
function installPrometheus(): void {
  if (!('reason' in findInstalled('prometheus')) || process.getuid?.() !== 0) return;
  try {
    announce("Installing Prometheus from the system's packages");
    execute('apt-get', ['update', '-qq']);
    execute('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'prometheus']);
  } catch (error) {
    announce(`Cannot install Prometheus: ${describeError(error)}`);
  }
}

function findInstalled(program: string): Peer {
  const folder = (process.env['PATH'] ?? '').split(':').find((path) => existsSync(join(path, program)));
  if (folder === undefined) return { reason: `${program} is not installed` };
  return { path: join(folder, program) };
}

/** The folder of the server's programs, which Debian keeps out of PATH. */
function findPostgres(): Peer {
  const versions = '/usr/lib/postgresql';
  const found = existsSync(versions) ? readdirSync(versions).map((name) => join(versions, name, 'bin')) : [];
  const path = found.findLast((folder) => existsSync(join(folder, 'initdb')));
  return path === undefined
    ? { reason: `no PostgreSQL in ${versions}; install the package postgresql` }
    : { path };
}

/** The library that gives a program a different wall clock; extracted from Debian's package without installing it. */
function findFaketime(): Peer {
  const name = 'libfaketimeMT.so.1';
  return build('libfaketime', name, (folder) => {
    execute('apt-get', ['download', '-qq', 'libfaketime'], { cwd: folder });
    const script = `dpkg-deb -x libfaketime_*.deb . && cp usr/lib/*/faketime/${name} bin/`;
    execute('sh', ['-c', script], { cwd: folder });
  });
}

/** A Python that has some modules. */
function findPython(modules: readonly string[]): Peer {
  const found = findInstalled('python3');
  if ('reason' in found) return found;
  try {
    execute(found.path, ['-c', `import ${modules.join(', ')}`]);
    return found;
  } catch (error) {
    return { reason: `${describeError(error)}; install ${modules.join(', ')} in a virtual environment` };
  }
}

/** The Collector, built with its own builder, and the answering backend from the same modules. */
function buildOtelcol(program: string): Peer {
  const config = readFileSync(join(sources, 'otelcol.yaml'), 'utf8');
  const version = /^ {2}version: (\S+)$/mu.exec(config)?.[1] ?? '';
  // Its components can change without a change of version.
  const contents = createHash('sha256').update(config).digest('hex').slice(0, 8);
  return build(`otelcol-${version}-${contents}`, program, (folder) => {
    const builder = `go.opentelemetry.io/collector/cmd/builder@v${version}`;
    execute('go', ['install', builder], { cwd: folder, env: { GOBIN: folder } });
    execute(join(folder, 'builder'), ['--config', join(sources, 'otelcol.yaml'), '--skip-compilation'], {
      cwd: folder,
    });
    const module = join(folder, 'otelcol');
    mkdirSync(join(module, 'otlp-answers'));
    copyFileSync(join(sources, 'otlp-answers/main.go'), join(module, 'otlp-answers/main.go'));
    execute('go', ['build', '-o', join(folder, 'bin/'), '.', './otlp-answers'], { cwd: module });
  });
}

/** A Prometheus that accepts OTLP; that of Debian 12 is too old. */
function buildPrometheus(): Peer {
  const program = 'github.com/prometheus/prometheus/cmd/prometheus';
  return buildModule('prometheus', program, prometheusVersion);
}

/** Debian has no package of it. */
function buildVictoriaMetrics(): Peer {
  const program = 'github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics';
  return buildModule('victoria-metrics', program, victoriaMetricsVersion);
}

function buildModule(name: string, program: string, version: string): Peer {
  return build(`${name}-${version}`, name, (folder) => {
    execute('go', ['mod', 'init', 'joulemetry-interop'], { cwd: folder });
    execute('go', ['get', `${program}@v${version}`], { cwd: folder });
    execute('go', ['build', '-o', join(folder, 'bin/'), program], { cwd: folder });
  });
}

/** A server that speaks MongoDB's protocol, with SQLite. Its module lacks the version file, without which it exits. */
function buildFerretdb(): Peer {
  const module = 'github.com/FerretDB/FerretDB';
  return build(`ferretdb-${ferretdbVersion}`, 'ferretdb', (folder) => {
    execute('go', ['mod', 'init', 'joulemetry-interop'], { cwd: folder });
    execute('go', ['get', `${module}@v${ferretdbVersion}`], { cwd: folder });
    const copy = `cp -r --no-preserve=mode "$(go list -m -f '{{.Dir}}' ${module})" source`;
    execute('sh', ['-c', copy], { cwd: folder });
    const source = join(folder, 'source');
    writeFileSync(join(source, 'build/version/version.txt'), `v${ferretdbVersion}`);
    execute('go', ['build', '-o', join(folder, 'bin/'), './cmd/ferretdb'], { cwd: source });
  });
}

/** The interpreter of InfluxDB's query language, without InfluxDB. */
function buildFlux(): Peer {
  return build(`flux-${fluxVersion}`, 'flux', (folder) => {
    const program = `github.com/influxdata/flux/cmd/flux@v${fluxVersion}`;
    execute('go', ['install', program], { cwd: folder, env: { GOBIN: join(folder, 'bin') } });
  });
}

/**
 * Returns a program from the cache, or builds it there.
 * @param make puts it into the folder `bin` of a new folder
 */
function build(name: string, program: string, make: (folder: string) => void): Peer {
  const path = join(cache, name, program);
  if (existsSync(path)) return { path };
  const known = refused.get(name);
  if (known !== undefined) return { reason: known };
  const folder = join(cache, `${name}.building-${process.pid}`);
  try {
    announce(`Building ${name} into ${cache}; this takes minutes, once`);
    rmSync(join(cache, name), { recursive: true, force: true });
    mkdirSync(join(folder, 'bin'), { recursive: true });
    make(folder);
    renameSync(join(folder, 'bin'), join(cache, name));
    return { path };
  } catch (error) {
    const reason = `Cannot build ${name}: ${describeError(error)}`;
    refused.set(name, reason);
    return { reason };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** @throws Error with the last line of the program's output */
function execute(program: string, args: readonly string[], { cwd, env }: ProgramOptions = {}): void {
  try {
    execFileSync('nice', [program, ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: longestBuildMs,
      maxBuffer: 2 ** 26,
    });
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    const lastLine = stderr.trim().split('\n').at(-1);
    throw new Error(`${program} ${args[0]}: ${lastLine || describeError(error)}`, { cause: error });
  }
}

function announce(text: string): void {
  process.stderr.write(`${text}\n`);
}
