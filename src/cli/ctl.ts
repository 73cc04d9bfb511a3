import type { ReloadResult } from '../component/agent-control.js';
import { escapeControls, formatJson } from '../component/output.js';
import { parseDuration } from '../config/formats.js';
import { UsageError } from '../errors.js';
import { findNearest } from '../nearest.js';
import { parseOptions } from '../parse-options.js';
import { writeMessage } from '../telemetry/write-message.js';
import { exitCodes, type Command } from './command.js';
import { askAgent, UnreachableError, type AgentAddress, type Reply } from './ctl/client.js';
import { describeComponents, describeResults, type ListedAgent, type VerbResult } from './ctl/text.js';

/** No agent could be reached. */
const unreachable = 3;
const defaultTimeoutMs = 60_000;

const options = {
  socket: { type: 'string' },
  url: { type: 'string' },
  'token-file': { type: 'string' },
  'ca-file': { type: 'string' },
  timeout: { type: 'string' },
  setting: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** Controls a running agent. */
export const command: Command = {
  name: 'ctl',
  summary: 'Control a running agent: list, pause, trigger, reload',
  usage: `Usage: joulemetry ctl [OPTIONS] VERB [NAME...]

Controls a running agent through its extension "control".

Verbs:
  list                        print every component with its state, interval,
                              points, points per second and last error
  pause NAME...               receivers read nothing, processors are bypassed,
                              exporters drop their points
  resume NAME...              end a pause: series continue, with a gap
  set-interval INTERVAL NAME...
                              let receivers read at another interval (500ms)
                              until they are restarted
  trigger NAME...             let receivers read now, even while they are paused
  stop NAME...                shut receivers or exporters down until the agent
                              restarts
  flush                       let receivers read now, and exporters send
  reload                      let the agent read its configuration again
  shutdown                    shut the agent down, as after SIGTERM

A NAME is the id of a receiver (rapl), or a kind and an id (exporter:otlp_grpc).
An asterisk matches any characters: 'receiver:*'.

Options:
      --socket PATH      the socket of the agent. Without it: control.sock in
                         /run/joulemetry or $XDG_RUNTIME_DIR/joulemetry
      --url URL          reach the agent over HTTP (http://localhost:13134)
      --token-file FILE  the token for --url
      --ca-file FILE     certificates for an https:// URL
      --setting SETTING  which interval to set, if a receiver has two:
                         collection_interval or sampling_interval
      --timeout DURATION how long to wait for an answer (60s)
      --json             print the answer as JSON

Exits with 0 when everything was done, with 1 when something could not be done,
with 2 if the command line is not valid, and with 3 if no agent can be reached:
none is running, its socket belongs to another user, or the token is wrong.
`,
  async run(args) {
    const { values, positionals } = parseOptions({ args: [...args], options, allowPositionals: true });
    const call = createCall(positionals, values.setting);
    if (values.url !== undefined && values.socket !== undefined)
      throw new UsageError('Cannot run ctl: expected --url or --socket, found both');
    const address: AgentAddress = {
      socket: values.socket,
      url: checkUrl(values.url),
      tokenFile: values['token-file'],
      caFile: values['ca-file'],
      timeoutMs: readTimeout(values.timeout),
    };
    try {
      return print(await askAgent(address, call.path, call.order), call, values.json === true);
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      writeMessage(error.message);
      return unreachable;
    }
  },
};

/** A request to the agent. */
interface Call {
  readonly path: string;
  /** Undefined: a GET. */
  readonly order: object | undefined;
  /** Describes the answer for people. */
  describe(body: never): string;
}

const doneByVerb = { pause: 'paused', resume: 'resumed', trigger: 'read', stop: 'stopped' } as const;
const plainVerbs = { flush: 'Flushed', shutdown: 'Shutting down' } as const;
const verbs = ['list', ...Object.keys(doneByVerb), 'set-interval', ...Object.keys(plainVerbs), 'reload'];

/** @throws UsageError */
function createCall([verb, ...rest]: readonly string[], setting: string | undefined): Call {
  if (verb === undefined) throw new UsageError(`Cannot run ctl: expected a verb, found none; see ctl --help`);
  if (verb === 'set-interval') return createIntervalCall(rest, setting);
  if (isKey(doneByVerb, verb)) return createVerbCall(verb, { components: rest }, doneByVerb[verb]);
  if (verbs.includes(verb) && rest.length > 0)
    throw new UsageError(`Cannot run ctl ${verb}: expected no names, found "${rest[0]}"`);
  if (verb === 'list') return { path: '/-/components', order: undefined, describe: describeList };
  if (verb === 'reload') return { path: '/-/reload', order: {}, describe: describeReload };
  if (isKey(plainVerbs, verb)) {
    const text = `${plainVerbs[verb]}\n`;
    return { path: `/-/${verb}`, order: {}, describe: () => text };
  }
  const nearest = findNearest(verb, verbs);
  const hint = nearest === undefined ? 'see ctl --help' : `did you mean "${nearest}"?`;
  throw new UsageError(`Cannot run ctl "${verb}": expected a verb, found none of this name; ${hint}`);
}

function createIntervalCall([interval, ...components]: readonly string[], setting: string | undefined): Call {
  if (interval === undefined || parseDuration(interval) === undefined)
    throw new UsageError(
      `Cannot run ctl set-interval: expected an interval such as "500ms" first, found ${interval === undefined ? 'none' : `"${interval}"`}`,
    );
  return createVerbCall('set-interval', { components, interval, setting }, `every ${interval}`);
}

function createVerbCall(
  verb: string,
  order: { readonly components: readonly string[]; readonly [more: string]: unknown },
  done: string,
): Call {
  if (order.components.length === 0)
    throw new UsageError(`Cannot run ctl ${verb}: expected names of components, found none`);
  return {
    path: `/-/${verb}`,
    order,
    describe: ({ results }: { readonly results: readonly VerbResult[] }) => describeResults(results, done),
  };
}

function describeList(agent: ListedAgent): string {
  return describeComponents(agent, process.stdout.isTTY);
}

function describeReload(result: ReloadResult): string {
  const { outcome, started, stopped, restarted, settings = [], kept = [], problem } = result;
  const parts = [
    { verb: 'started', names: started },
    { verb: 'restarted', names: restarted },
    { verb: 'stopped', names: stopped },
    { verb: 'changed', names: settings },
  ];
  const changes = parts.filter(({ names }) => names.length > 0);
  const what = changes.map(({ verb, names }) => `${verb} ${names.join(', ')}`).join('; ');
  const text = [
    outcome.replace('_', ' '),
    ...(what === '' ? [] : [what]),
    ...(problem === undefined ? [] : [problem]),
  ];
  return [text.join(': '), ...kept].map((line) => `${escapeControls(line)}\n`).join('');
}

function isKey<Key extends string>(map: Readonly<Record<Key, string>>, key: string): key is Key {
  return Object.hasOwn(map, key);
}

/** @returns the exit code */
function print({ status, body }: Reply, { describe }: Call, isJson: boolean): number {
  const isDone = status < 300;
  const problem = findProblem(body);
  if (isJson) process.stdout.write(formatJson(body));
  else if (problem !== undefined) writeMessage(problem);
  // The agent has the same version, or its answer has the fields used here.
  else (isDone ? process.stdout : process.stderr).write(describe(body as never));
  return isDone ? exitCodes.success : exitCodes.failure;
}

function findProblem(body: unknown): string | undefined {
  return typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : undefined;
}

function checkUrl(url: string | undefined): string | undefined {
  if (url === undefined || /^https?:\/\/[^/]+\/?$/u.test(url)) return url;
  throw new UsageError(`Cannot use --url: expected http:// or https:// with a host, found "${url}"`);
}

function readTimeout(text: string | undefined): number {
  const ms = text === undefined ? defaultTimeoutMs : parseDuration(text);
  if (ms !== undefined && ms >= 1) return Math.floor(ms);
  throw new UsageError(`Cannot use --timeout: expected a duration such as "5s", found "${text}"`);
}
