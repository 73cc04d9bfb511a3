// Writes the form in which the package is published: a few large files in place of some hundred small ones, since Node
// takes about a millisecond for each file that it loads. Every file that Node or a user names stays where it was
// compiled: the program, the components, the modules of threads, and what package.json exports. What they share is in
// dist/chunks, each module once, so that a class is the same class wherever it is imported from.
//
//   node bundle.mjs          replaces dist/, which the next build compiles again: npm pack runs this
//   node bundle.mjs FOLDER   leaves dist/ as it is and writes to FOLDER
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { parse } from 'yaml';

process.chdir(import.meta.dirname);
const compiled = resolve('dist');
const dependencies = resolve('node_modules');
const built = 'dist/.built';
const program = 'src/cli/main.js';
const kinds = ['receivers', 'processors', 'exporters', 'extensions'];
const isPrivate = /\.(?:test|fixture)\.(?:js|d\.ts)$/u;

/**
 * What is loaded together, in this order: a module belongs to the first one that needs it. A file depends on those
 * before it only, and nothing is loaded that the caller has no use for.
 */
const chunks = [
  { name: 'main', roots: ['src/cli/start.js'] },
  { name: 'sampling', roots: ['src/sampling/thread-main.js', 'receivers/rapl/sampler.js'] },
  {
    name: 'exec',
    roots: [
      'src/cli/exec.js',
      'src/linux/bpf/tree-accounting.js',
      ...['receivers/rapl', 'receivers/estimate', 'processors/attribution'].map(factoryOf),
    ],
  },
  { name: 'yaml', roots: ['src/config/sources.js'] },
  { name: 'agent', roots: ['src/cli/run.js', ...listDefaultComponents().map(factoryOf)] },
  { name: 'telemetry', roots: ['src/telemetry/sdk.js'] },
  { name: 'plugin', roots: ['src/plugin.js'] },
];

/**
 * Packages that every agent loads: 237 files that take as long as all that is ours. Others stay where npm puts them; these
 * are there, too, for packages that depend on them.
 */
const bundled = new Set([
  'yaml',
  ...['api', 'core', 'exporter-prometheus', 'resources', 'sdk-metrics', 'semantic-conventions'].map(
    (name) => `@opentelemetry/${name}`,
  ),
]);

function factoryOf(component) {
  return `${component}/factory.js`;
}

/** The components of the default configuration. */
function listDefaultComponents() {
  const { service } = parse(readFileSync('config/default.yaml', 'utf8'));
  const parts = [service, ...Object.values(service.pipelines)];
  return kinds.flatMap((kind) =>
    parts.flatMap((part) => part[kind] ?? []).map((id) => join(kind, id.split('/')[0])),
  );
}

/** What the bundler calls an entry: where it is, without the extension. */
function nameOf(path) {
  return relative(compiled, resolve(compiled, path)).slice(0, -'.js'.length);
}

function listFiles(folder) {
  return readdirSync(join(compiled, folder), { recursive: true }).map((name) => join(folder, name));
}

function isPublicModule(path) {
  return path.endsWith('.js') && !isPrivate.test(path);
}

/** The files that package.json exports; "*" stands for any path. */
function listExported() {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const targets = Object.values(exports).flatMap(({ default: target }) => target ?? []);
  return targets.flatMap((target) => {
    const path = relative('dist', target);
    return path.includes('*') ? listFiles(dirname(path)).filter(isPublicModule) : [path];
  });
}

function listComponents() {
  const components = kinds.flatMap((kind) =>
    readdirSync(join(compiled, kind)).map((name) => join(kind, name)),
  );
  return components.map(factoryOf).filter((path) => existsSync(join(compiled, path)));
}

const entries = [program, ...listComponents(), ...listExported()];

/** Modules that do something by themselves: they would do it for every importer of the chunk that they are in. */
const apart = new Set([join(compiled, program)]);

/** Stands for the way from an output file to the folder of all output until it is known. */
const outputRoot = '@@OUTPUT_ROOT@@';

/**
 * Lets a module have the address that it would have had: `import.meta.url` serves to find other files. The modules of
 * threads, which are found so, become entries.
 */
const addresses = {
  name: 'addresses',
  transform(code, id) {
    if (!code.includes('import.meta.url')) return null;
    for (const [, path] of code.matchAll(/new URL\('(\.[^']+\.js)', import\.meta\.url\)/gu)) {
      const module = join(dirname(id), path);
      apart.add(module);
      this.emitFile({ type: 'chunk', id: module, name: nameOf(module) });
    }
    const own = `new URL('${outputRoot}/${relative(compiled, id)}', import.meta.url).href`;
    return { code: code.replaceAll('import.meta.url', own), map: null };
  },
};

/**
 * The semantic conventions are a thousand constants, and a package in CommonJS loads all of them: it gets those that it
 * names.
 */
const conventions = '@opentelemetry/semantic-conventions';
const prefix = '\0conventions:';
const namedConventions = {
  name: 'named-conventions',
  resolveId(source, importer) {
    return source === conventions && isCommonJs(importer) ? `${prefix}${importer}` : null;
  },
  load(id) {
    if (!id.startsWith(prefix)) return null;
    const code = readFileSync(id.slice(prefix.length), 'utf8');
    const names = new Set([...code.matchAll(/semantic_conventions_1\.(\w+)/gu)].map(([, name]) => name));
    return `export { ${[...names].join(', ')} } from '${resolve(dependencies, conventions, 'dist/index.mjs')}';`;
  },
};

function isCommonJs(path) {
  return readFileSync(path, 'utf8').includes(`require("${conventions}")`);
}

/** The chunk of each module; the bundler finds one for the others. */
const chunkOf = new Map();
const assignment = {
  name: 'assignment',
  buildEnd() {
    for (const { name, roots } of chunks) for (const root of roots) assign(join(compiled, root), name, this);
  },
};

function assign(id, name, graph) {
  if (chunkOf.has(id)) return;
  chunkOf.set(id, name);
  for (const imported of graph.getModuleInfo(id)?.importedIds ?? []) assign(imported, name, graph);
}

/** What is a component's own is loaded with the component. */
function isShared(id) {
  const isOfComponent = kinds.some((kind) => id.startsWith(join(compiled, kind, '/')));
  return chunkOf.has(id) && !isOfComponent && !apart.has(id);
}

async function bundle() {
  const build = await rolldown({
    input: Object.fromEntries(entries.map((path) => [nameOf(path), join(compiled, path)])),
    external: (id) => /^[^./\0]/u.test(id) && !bundled.has(id),
    platform: 'node',
    // The forms as ECMAScript modules, of which nothing is kept that is not used.
    resolve: { mainFields: ['module', 'main'] },
    preserveEntrySignatures: 'allow-extension',
    plugins: [addresses, namedConventions, assignment],
  });
  const { output } = await build.generate({
    format: 'es',
    entryFileNames: '[name].js',
    // The modules of threads have the names of their places, others a word.
    chunkFileNames: ({ name }) => (name.includes('/') ? '[name].js' : 'chunks/[name].js'),
    // Stack traces name what the source names.
    minifyInternalExports: false,
    comments: { legal: true, annotation: false, jsdoc: false },
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ name: (id) => chunkOf.get(id), test: isShared, debugName: 'shared' }],
    },
  });
  await build.close();
  return output;
}

/** Modules of Node that few agents use: with OpenSSL they are 5 MB of Node 24, and take 8 ms of every start. */
const loadedOnUse = new Set(['node:crypto', 'node:https', 'node:tls']);

/**
 * Modules of Node by a call in place of an import, for which Node would first collect all that they export and load what
 * that is made of: it saves 4 ms of every start.
 */
function requireBuiltins(code) {
  return code
    .replaceAll(/^import \{([^}]*)\} from "(node:[^"]+)";$/gmu, (_, names, module) => {
      if (loadedOnUse.has(module))
        return names
          .split(',')
          .map((name) => loadOnUse(name, module))
          .join('\n');
      const properties = names.replaceAll(/ as /gu, ': ');
      return `const {${properties}} = process.getBuiltinModule("${module}");`;
    })
    .replaceAll(/^import (\w+) from ("node:[^"]+");$/gmu, 'const $1 = process.getBuiltinModule($2);');
}

/** Stands for a function or class of a module, which it loads when it is called. */
function loadOnUse(imported, module) {
  const [name, local = name] = imported.trim().split(' as ');
  if (typeof process.getBuiltinModule(module)[name] !== 'function')
    throw new Error(`Cannot load ${module} on use: expected functions and classes, found "${name}"`);
  const call = /^[A-Z]/u.test(name) ? 'new ' : '';
  return `function ${local}(...args) { return ${call}(process.getBuiltinModule("${module}").${name})(...args); }`;
}

/** For one character outside Latin-1, V8 keeps two bytes for each character of the file. */
function escapeOthers(code) {
  return code.replaceAll(
    /[^\0-\x7f]/g,
    (unit) => String.raw`\u` + unit.charCodeAt(0).toString(16).padStart(4, '0'),
  );
}

function write(folder, { fileName, code }) {
  const path = join(folder, fileName);
  const root = relative(dirname(path), folder) || '.';
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, escapeOthers(requireBuiltins(code)).replaceAll(outputRoot, root));
}

/** The default configuration, so that an agent need not load a parser of YAML. */
function writeDefaultConfig(folder) {
  const config = parse(readFileSync('config/default.yaml', 'utf8'));
  writeFileSync(join(folder, 'default-config.json'), JSON.stringify(config));
}

/** Writes the licenses of the packages of which something is in a chunk. */
function writeLicenses(folder, output) {
  const modules = output.flatMap(({ moduleIds = [] }) => moduleIds);
  const paths = modules.flatMap((id) => /^\/.*\/node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(id) ?? []);
  const texts = [...new Set(paths)].map(readLicense).toSorted();
  writeFileSync(join(folder, 'THIRD_PARTY_LICENSES.txt'), texts.join('\n\n'));
}

function readLicense(path) {
  const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  return `${name} ${version} (${license})\n\n${readFileSync(join(path, 'LICENSE'), 'utf8').trim()}\n`;
}

function copyTypes(folder) {
  for (const path of ['src', ...kinds].flatMap(listFiles)) {
    if (path.endsWith('.d.ts') && !isPrivate.test(path)) cpSync(join(compiled, path), join(folder, path));
  }
}

if (!existsSync(built)) {
  console.error(
    `Cannot bundle dist: expected what build.mjs compiled, found no ${built}; run node build.mjs`,
  );
  process.exit(1);
}
const [, , target] = process.argv;
const folder = resolve(target ?? `.build-${process.pid}`);
const output = await bundle();
for (const file of output) write(folder, file);
writeLicenses(folder, output);
writeDefaultConfig(folder);
copyTypes(folder);
if (target === undefined) {
  // First: what an interruption leaves must not be taken for a build.
  rmSync(built);
  rmSync(compiled, { recursive: true });
  renameSync(folder, compiled);
}
console.error(`Bundled into ${basename(target ?? compiled)}`);
