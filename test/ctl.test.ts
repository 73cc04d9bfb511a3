import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createCertificate, noOpenssl, readServerOptions } from '../src/http/certificate.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { runAgent, startAgent, writeConfig } from './agent.js';

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port; // It listens on TCP.
}

/** An agent with a simulated machine, and the output of `ctl` for it. */
async function startControlled(t: TestContext) {
  const folder = createFolder();
  const socket = join(folder, 'control.sock');
  const output = join(folder, 'out.jsonl');
  const token = join(folder, 'token');
  const config = writeConfig(`
receivers:
  simulator: { collection_interval: 20ms, sampling_interval: 5ms, flush_interval: 20ms }
processors: { attribution: { views: [process, program] } }
exporters: { file: { path: ${output}, flush_interval: 50ms } }
extensions:
  control: { socket: { path: ${socket} }, http: { endpoint: 'localhost:0', token_file: ${token} } }
service:
  telemetry: { metrics: { level: none } }
  extensions: [control]
  pipelines: { metrics: { receivers: [simulator], processors: [attribution], exporters: [file] } }
`);
  const agent = startAgent(['run', '-c', config]);
  t.after(() => agent.stop());
  const origin = await agent.waitFor(/Accepting control requests at (http:\S+),/u);
  await agent.waitFor(/Everything is ready/u);
  const ctl = (...args: readonly string[]) => runAgent(['ctl', '--socket', socket, ...args]);
  return { agent, ctl, origin, token, output };
}

interface Listed {
  readonly name: string;
  readonly state: string;
  readonly accepted_points: number;
  readonly intervals: Readonly<Record<string, string>>;
}

type Ctl = (...args: readonly string[]) => ReturnType<typeof runAgent>;

async function find(ctl: Ctl, name: string): Promise<Listed> {
  const { stdout } = await ctl('list', '--json');
  const { components } = JSON.parse(stdout) as { readonly components: readonly Listed[] };
  const found = components.find((one) => one.name === name);
  assert.ok(found);
  return found;
}

test('ctl pauses a receiver, which then reads nothing until it is resumed', async (t) => {
  const { agent, ctl } = await startControlled(t);
  await until(async () => (await find(ctl, 'receiver:simulator')).accepted_points > 0);
  const paused = await ctl('pause', 'simulator');
  assert.deepEqual([paused.code, paused.stdout], [0, 'receiver:simulator: paused\n']);
  const before = await find(ctl, 'receiver:simulator');
  assert.equal(before.state, 'paused');
  const after = await find(ctl, 'receiver:simulator');
  assert.equal(after.accepted_points, before.accepted_points);
  assert.equal((await ctl('trigger', 'simulator')).stdout, 'receiver:simulator: read\n');
  const triggered = await find(ctl, 'receiver:simulator');
  assert.ok(triggered.accepted_points > after.accepted_points);
  assert.equal((await ctl('resume', 'sim*')).stdout, 'receiver:simulator: resumed\n');
  await until(
    async () => (await find(ctl, 'receiver:simulator')).accepted_points > 2 * triggered.accepted_points,
  );
  assert.equal((await agent.stop()).code, 0);
});

test('ctl sets intervals, and prints why the agent refuses one', async (t) => {
  const { ctl } = await startControlled(t);
  const vague = await ctl('set-interval', '1s', 'simulator');
  assert.equal(vague.code, 1);
  assert.match(vague.stderr, /expected which one, collection_interval or sampling_interval, found none\n$/u);
  const clear = await ctl('set-interval', '1s', 'simulator', '--setting', 'collection_interval');
  assert.deepEqual([clear.code, clear.stdout], [0, 'receiver:simulator: every 1s\n']);
  assert.deepEqual((await find(ctl, 'receiver:simulator')).intervals, {
    collection_interval: '1s',
    sampling_interval: '5ms',
  });
  const wrong = await ctl('set-interval', '1ns', 'simulator', '--setting', 'sampling_interval');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /expected sampling_interval from 20us to 30s, found 1ns\n$/u);
});

/** The last row of a metric's series, by their attributes, and the sum of their growth. */
function sumOf(output: string, metric: string): number {
  const last = new Map<string, number>();
  // The last line may be incomplete.
  const lines = readFileSync(output, 'utf8').split('\n').slice(0, -1);
  for (const line of lines) {
    for (const { key, value } of pointsOf(JSON.parse(line), metric)) last.set(key, value);
  }
  return [...last.values()].reduce((sum, value) => sum + value, 0);
}

interface OtlpRequest {
  readonly resourceMetrics: readonly {
    readonly resource: unknown;
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: {
          readonly dataPoints: readonly {
            readonly attributes?: unknown;
            readonly startTimeUnixNano: string;
            readonly asDouble?: number;
            readonly flags?: number;
          }[];
        };
      }[];
    }[];
  }[];
}

function pointsOf(request: unknown, metric: string) {
  // Format of the exporter "file".
  return (request as OtlpRequest).resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .filter(({ name, sum }) => name === metric && sum !== undefined)
      .flatMap(({ sum }) => sum?.dataPoints ?? [])
      .filter(({ asDouble }) => asDouble !== undefined)
      .map(({ attributes, startTimeUnixNano, asDouble = NaN }) => ({
        key: JSON.stringify([resource, attributes, startTimeUnixNano]),
        value: asDouble,
      })),
  );
}

test('the energy used during a pause is attributed after it, and the ledger adds up', async (t) => {
  const { agent, ctl, output } = await startControlled(t);
  await until(() => sumOf(output, 'ledger.energy') > 0);
  await ctl('pause', 'simulator');
  const before = sumOf(output, 'hw.energy');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await ctl('resume', 'simulator');
  await until(() => sumOf(output, 'hw.energy') > before + 1);
  assert.equal((await agent.stop()).code, 0);
  const [measured, ledger] = [sumOf(output, 'hw.energy'), sumOf(output, 'ledger.energy')];
  assert.ok(Math.abs(measured - ledger) <= 1e-6 * measured, `measured ${measured} J, ledger ${ledger} J`);
});

test('ctl reaches an agent over HTTP with its token, and ends it', async (t) => {
  const { agent, origin, token } = await startControlled(t);
  const without = await runAgent(['ctl', '--url', origin, 'list']);
  assert.equal(without.code, 3);
  assert.match(without.stderr, /^Cannot control the agent: expected the token of its http.token_file/u);
  const ended = await runAgent(['ctl', '--url', origin, '--token-file', token, 'shutdown']);
  assert.deepEqual([ended.code, ended.stdout], [0, 'Shutting down\n']);
  const { code, stderr } = await agent.ended;
  assert.equal(code, 0);
  assert.match(stderr, /Shutting down: an extension requested it/u);
});

test('ctl exits with 3 and a reason when the address has no agent', async (t) => {
  const path = join(createFolder(), 'none.sock');
  const absent = await runAgent(['ctl', '--socket', path, 'list']);
  assert.equal(absent.code, 3);
  assert.match(absent.stderr, /^Cannot reach an agent: no socket at .*none\.sock; is the agent running/u);
  const server = createServer((_, response) => response.end('hello')).listen(path);
  t.after(() => server.close());
  await until(() => server.listening);
  const other = await runAgent(['ctl', '--socket', path, 'list']);
  assert.equal(other.code, 3);
  assert.match(other.stderr, /expected the extension "control", found a server that answers 200 hello/u);
});

test(
  'ctl names the option or the setting that is missing for an address with or without TLS',
  { skip: noOpenssl },
  async (t) => {
    const tls = createTlsServer(readServerOptions(createCertificate())).listen(0, '127.0.0.1');
    const plain = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
    t.after(() => [tls, plain].forEach((server) => server.close()));
    await until(() => tls.listening && plain.listening);
    const cases = [
      [`https://127.0.0.1:${portOf(tls)}`, /has a certificate of an unknown authority; .*--ca-file/u],
      [
        `https://127.0.0.1:${portOf(plain)}`,
        /does not answer by TLS; use http:\/\/, or set web_config_file/u,
      ],
      [`http://127.0.0.1:${portOf(tls)}`, /does not answer by HTTP; use https:\/\/ if it has TLS/u],
    ] as const;
    for (const [url, message] of cases) {
      const { code, stderr } = await runAgent(['ctl', '--url', url, 'list']);
      assert.equal(code, 3);
      assert.match(stderr, message);
    }
  },
);

test('ctl explains a wrong command line with exit code 2', async () => {
  const cases = [
    [[], /expected a verb, found none/u],
    [['paus', 'x'], /expected a verb, found none of this name; did you mean "pause"/u],
    [['pause'], /expected names of components, found none/u],
    [['list', 'rapl'], /ctl list: expected no names, found "rapl"/u],
    [['set-interval', 'rapl'], /expected an interval such as "500ms" first, found "rapl"/u],
    [['list', '--url', 'ftp://x'], /expected http:\/\/ or https:\/\//u],
    [['list', '--url', 'http://x', '--socket', 'y'], /expected --url or --socket, found both/u],
    [['list', '--timeout', 'soon'], /expected a duration such as "5s", found "soon"/u],
  ] as const;
  for (const [args, message] of cases) {
    const { code, stderr } = await runAgent(['ctl', ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});
