import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Schema } from '../src/component/schema.js';
import { isGroupSetting, isListSetting, isSetting } from '../src/config/settings.js';
import { createCertificate, noOpenssl } from '../src/http/certificate.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { runAgent, writeConfig } from './agent.js';
import { loadComponentFolders } from './component-folders.js';

/** Settings of files that an agent starts without, by the end of their path. */
const notNeeded = new Set([
  // Created if it is missing.
  'control.http.token_file',
  // Without it, losses are found by regression.
  'attribution.calibration_file',
  // Written by the agent itself.
  'attribution.state_file',
]);

interface Components {
  readonly receivers?: string;
  readonly processors?: string;
  readonly exporters?: string;
  readonly extensions?: string;
}

const idOf = (component: string) => component.split(':')[0];

/** A configuration with one pipeline of these components, which have YAML flow maps as settings. */
function writeComponents({
  receivers = 'simulator: {}',
  processors = '',
  exporters = 'debug: {}',
  extensions = '',
}: Components) {
  return writeConfig(`
receivers: {${receivers}}
processors: {${processors}}
exporters: {${exporters}}
extensions: {${extensions}}
service:
  extensions: [${idOf(extensions)}]
  telemetry: {metrics: {level: none}}
  pipelines: {metrics: {receivers: [${idOf(receivers)}], processors: [${idOf(processors)}], exporters: [${idOf(exporters)}]}}
`);
}

async function validate(components: Components, ...options: readonly string[]) {
  const path = writeComponents(components);
  const { code, stderr } = await runAgent(['validate', '-c', path, ...options]);
  return {
    code,
    found: stderr
      .trimEnd()
      .replace(`${path}:`, '')
      .replace(/^\d+:\d+: /u, ''),
  };
}

test('validate names each file that a start would refuse', async () => {
  const folder = createFolder();
  const [none, empty, web] = [join(folder, 'none'), join(folder, 'empty'), join(folder, 'web.yml')];
  const negative = join(folder, 'negative.csv');
  writeFileSync(empty, '');
  writeFileSync(negative, '0,-3\n');
  writeFileSync(web, 'basic_auth_users: {}\nusers: {}\n');
  const cases: readonly (readonly [Components, string])[] = [
    [
      { exporters: `prometheus: {web_config_file: ${none}}` },
      `exporters.prometheus.web_config_file: Cannot read ${none}: ENOENT`,
    ],
    [
      { exporters: `prometheus: {web_config_file: ${web}}` },
      `exporters.prometheus.web_config_file: ${web}:2:1: users: unknown setting, known: tls_server_config, http_server_config, basic_auth_users`,
    ],
    [
      { exporters: `otlp_http: {credentials: {bearer_token_file: ${empty}}}` },
      `exporters.otlp_http.credentials.bearer_token_file: Cannot use "${empty}": expected one line of text, found none`,
    ],
    [
      { exporters: `otlp_grpc: {tls: {ca_file: ${empty}}}` },
      `exporters.otlp_grpc.tls.ca_file: Cannot use certificates "${empty}": expected whole certificates in PEM, found 0 of 0`,
    ],
    [
      { exporters: `file: {path: ${none}/points.json}` },
      `exporters.file.path: expected an existing folder ${none}, found none; create it or set another path`,
    ],
    [{ processors: `carbon: {file: ${none}}` }, `processors.carbon.file: Cannot read ${none}: ENOENT`],
    [
      { processors: `carbon: {file: ${negative}}` },
      `processors.carbon.file: Cannot read ${negative}:1: expected "time,value" with a number of 0 or more, found "0,-3"`,
    ],
    [
      { receivers: `replay: {files: [${empty}, ${none}/*.json]}` },
      `receivers.replay.files[1]: expected a file ${none}/*.json, found none`,
    ],
    [
      { extensions: `file_storage: {directory: ${none}, create_directory: false}` },
      `extensions.file_storage.directory: expected an existing folder ${none}, found none; create it or set another path`,
    ],
    [
      { extensions: `file_storage: {directory: ${empty}/queues}` },
      `extensions.file_storage.directory: expected a folder ${empty}, found a file; set another path`,
    ],
    [
      { extensions: `control: {socket: {path: ${none}/control.sock}}` },
      `extensions.control.socket.path: expected an existing folder ${none}, found none; create it or set another path`,
    ],
    [
      { extensions: `hooks: {start: [{module: ${none}, required: true}]}` },
      `extensions.hooks.start[0].module: Cannot read ${none}: ENOENT`,
    ],
    [
      {
        receivers: `prometheus: {config: {scrape_configs: [{job_name: a, authorization: {credentials_file: ${none}}}]}}`,
      },
      `receivers.prometheus.config.scrape_configs[0].authorization.credentials_file: Cannot read "${none}": ENOENT`,
    ],
  ];
  for (const [components, expected] of cases) {
    assert.deepEqual(await validate(components), { code: 2, found: expected });
    assert.deepEqual(await validate(components, '--syntax-only'), { code: 0, found: '' });
  }
});

test('validate only warns of a file whose receiver a start leaves out, and of none that is not read', async () => {
  const none = join(createFolder(), 'none');
  const optional = await validate({
    receivers: `otlp: {start: auto, protocols: {http: {web_config_file: ${none}}}}`,
  });
  assert.equal(optional.code, 0);
  assert.match(optional.found, /^receivers\.otlp\.protocols\.http\.web_config_file: Cannot read .*: ENOENT$/);
  const unused = await validate({ exporters: `otlp_grpc: {tls: {insecure: true, ca_file: ${none}}}` });
  assert.deepEqual(unused, { code: 0, found: '' });
});

test('validate accepts a folder that a start creates, and only warns of a hook that is not required', async () => {
  const none = join(createFolder(), 'none');
  const storage = await validate({ extensions: `file_storage: {directory: ${none}/a/b}` });
  assert.deepEqual(storage, { code: 0, found: '' });
  for (const [hook, expected] of [
    [`start: [{module: ${none}}]`, /^extensions\.hooks\.start\[0\]\.module: Cannot read .*: ENOENT$/],
    [`shutdown: [{module: ${none}}]`, /^extensions\.hooks\.shutdown\[0\]\.module: Cannot read /],
    [
      `start: [{shell: pwd, working_directory: ${none}}]`,
      /^extensions\.hooks\.start\[0\]\.working_directory: expected an existing folder /,
    ],
  ] as const) {
    const { code, found } = await validate({ extensions: `hooks: {${hook}}` });
    assert.equal(code, 0);
    assert.match(found, expected);
  }
});

test('validate compares keys with their certificates', { skip: noOpenssl }, async () => {
  const [one, other] = [createCertificate(), createCertificate()];
  const receiver = (keyFile: string) =>
    `otlp: {protocols: {http: {tls: {cert_file: ${one.certFile}, key_file: ${keyFile}}}}}`;
  assert.deepEqual(await validate({ receivers: receiver(one.keyFile) }), { code: 0, found: '' });
  const { code, found } = await validate({ receivers: receiver(other.keyFile) });
  assert.equal(code, 2);
  assert.match(found, /\.tls\.key_file: Cannot use certificates ".*" with private key ".*": .*mismatch/);
});

test('every setting of a file that a start needs says what the file contains', async () => {
  const folders = await loadComponentFolders();
  const settings = folders.flatMap(({ type, factory }) => listSettings(factory.schema, type));
  const files = settings.filter(({ path }) => /_(?:file|certificate)$/u.test(path));
  assert.ok(files.length > 40);
  const unknown = files.filter(({ path, reads }) => reads === undefined && !notNeeded.has(path));
  assert.deepEqual(unknown, []);
});

function listSettings(schema: Schema, path: string): readonly { path: string; reads: string | undefined }[] {
  return Object.entries(schema).flatMap(([key, part]) => {
    const below = `${path}.${key}`;
    if (!isSetting(part)) return listSettings(part, below);
    if (isGroupSetting(part)) return listSettings(part.settings, below);
    if (isListSetting(part)) return listSettings(part.items, below);
    return [{ path: below, reads: part.reads }];
  });
}
