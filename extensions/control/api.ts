import type { IncomingMessage } from 'node:http';
import type { AgentControl, ComponentStatus, ReloadResult } from '../../src/component/agent-control.js';
import type { Log } from '../../src/component/log.js';
import { describeDuration, parseDuration } from '../../src/config/formats.js';
import { describeError } from '../../src/errors.js';
import { BodyReader } from '../../src/http/request-body.js';
import type { Answer, Pages } from '../../src/http/server.js';
import { readVersion } from '../../src/version.js';
import { findNames, nameOf } from './name-pattern.js';
import type { PointRates } from './rates.js';
import { verbs, type Verb, type VerbOptions } from './verbs.js';

const maxBodyBytes = 64 * 1024;
/** A reload starts receivers, which may wait for devices. */
const longestWorkMs = 120_000;

/** What the pages use. */
export interface ApiContext {
  readonly agent: AgentControl;
  readonly isReady: () => boolean;
  readonly startedAt: Date;
  readonly rates: PointRates;
  readonly log: Log;
  /** `sent` is fulfilled when the answer to a reload has been sent; its connection should not end before. */
  awaitAnswer(sent: Promise<unknown>): void;
}

/** A request that cannot be carried out. */
class RequestError extends Error {
  readonly status: 400 | 404 | 413 | 415 | 503;

  constructor(status: RequestError['status'], message: string) {
    super(message);
    this.status = status;
  }
}

function post(work: (request: IncomingMessage) => Answer | Promise<Answer>) {
  return { post: (request: IncomingMessage) => answerWork(request, work) };
}

/** The pages that control an agent. */
export function createPages(context: ApiContext): Pages {
  const { agent, log } = context;
  const reader = new BodyReader(maxBodyBytes, 4 * maxBodyBytes);
  const ofVerbs = [...verbs].map(([name, verb]) => [
    `/-/${name}`,
    post(async (request) => {
      const order = await readOrder(request, reader);
      log.info(`Received a request to ${name} ${describeOrder(order)}`);
      return runVerb(agent, name, { verb, order });
    }),
  ]);
  return {
    '/-/components': () => createAnswer(200, describeAgent(context)),
    ...(Object.fromEntries(ofVerbs) as Pages), // Pairs of a path and the result of `post`.
    '/-/flush': post(async () => {
      await agent.flush();
      return createAnswer(200, { done: true });
    }),
    '/-/reload': post(async ({ socket }) => {
      log.info('Received a request to reload');
      // The new configuration may have this extension with other settings or not at all.
      context.awaitAnswer(new Promise((resolve) => socket.once('close', resolve)));
      const answer = describeReload(await agent.reload());
      return { ...answer, headers: { ...answer.headers, Connection: 'close' } };
    }),
    '/-/shutdown': post(() => {
      log.info('Received a request to shut down');
      // The answer has been sent by then.
      setImmediate(() => agent.shutdown());
      return createAnswer(200, { done: true });
    }),
  };
}

async function answerWork(
  request: IncomingMessage,
  work: (request: IncomingMessage) => Answer | Promise<Answer>,
): Promise<Answer> {
  request.socket.setTimeout(longestWorkMs);
  try {
    return await work(request);
  } catch (error) {
    const status = error instanceof RequestError ? error.status : 500;
    return createAnswer(status, { error: describeError(error) });
  }
}

function createAnswer(status: number, value: object): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
    body: `${JSON.stringify(value)}\n`,
  };
}

/** What a request asks for, and for which components. */
interface Order extends VerbOptions {
  readonly patterns: readonly string[];
}

interface Call {
  readonly verb: Verb;
  readonly order: Order;
}

async function readOrder(request: IncomingMessage, reader: BodyReader): Promise<Order> {
  const body = await reader.read(request);
  if (!('bytes' in body)) throw new RequestError(body.status, body.problem);
  const { components, interval, setting } = parseBody(body.bytes.toString('utf8'));
  const patterns = Array.isArray(components) ? components.map(String) : [];
  if (patterns.length === 0)
    throw new RequestError(
      400,
      'Cannot read the request: expected "components", a list of names, found none',
    );
  const intervalMs = typeof interval === 'string' ? parseDuration(interval) : undefined;
  if (interval !== undefined && intervalMs === undefined)
    throw new RequestError(
      400,
      `Cannot read the request: expected an interval such as "500ms", found ${JSON.stringify(interval)}`,
    );
  return { patterns, interval: intervalMs, setting: typeof setting === 'string' ? setting : undefined };
}

function parseBody(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // The final error describes the pattern.
  }
  throw new RequestError(400, 'Cannot read the request: expected a JSON object, found something else');
}

/** `500ms process, host` */
function describeOrder({ interval, patterns }: Order): string {
  const names = patterns.map((pattern) => pattern || '""').join(', ');
  return interval === undefined ? names : `${describeDuration(interval)} ${names}`;
}

async function runVerb(agent: AgentControl, name: string, { verb, order }: Call): Promise<Answer> {
  const problem = verb.findProblem?.(order);
  if (problem !== undefined) throw new RequestError(400, `Cannot read the request: ${problem}`);
  const names = order.patterns.flatMap((pattern) => findFor(pattern, { name, verb }, agent.listComponents()));
  const results = await Promise.all([...new Set(names)].map((one) => runOne(agent, one, { verb, order })));
  const isDone = results.every(({ done }) => done);
  return createAnswer(isDone ? 200 : 409, { results });
}

/** @throws RequestError when a pattern matches no component that supports the action */
function findFor(
  pattern: string,
  { name, verb: { kinds } }: { readonly name: string; readonly verb: Verb },
  components: readonly ComponentStatus[],
): readonly string[] {
  const possible = components.filter(({ kind }) => kinds.includes(kind));
  // Patterns do not match components that are disabled.
  const isListed = ({ state }: ComponentStatus) => state !== 'disabled' || !pattern.includes('*');
  const names = findNames(pattern, possible.filter(isListed));
  if (names.length > 0) return names;
  const known = [...new Set(possible.map(nameOf))].join(', ') || 'there is none';
  const other = components.find((one) => nameOf(one) === pattern);
  const found = other ? describeKinds([other.kind]) : 'none of this name';
  throw new RequestError(
    404,
    `Cannot ${name} "${pattern}": expected ${describeKinds(kinds)} (${known}), found ${found}`,
  );
}

/** `a receiver, processor or exporter` */
function describeKinds(kinds: readonly string[]): string {
  const text = kinds.join(', ').replace(/, (?=[^,]*$)/u, ' or ');
  return `${text.startsWith('e') ? 'an' : 'a'} ${text}`;
}

interface VerbResult {
  readonly component: string;
  readonly done: boolean;
  readonly error?: string;
}

async function runOne(agent: AgentControl, name: string, { verb, order }: Call): Promise<VerbResult> {
  try {
    await verb.run(agent, name, order);
    return { component: name, done: true };
  } catch (error) {
    return { component: name, done: false, error: describeError(error) };
  }
}

function describeReload(result: ReloadResult): Answer {
  const isDone = result.outcome === 'changed' || result.outcome === 'unchanged';
  // Everything else has been done.
  if (isDone && result.kept) return createAnswer(409, result);
  return createAnswer(isDone ? 200 : 422, result);
}

function describeAgent({ agent, isReady, startedAt, rates }: ApiContext): object {
  return {
    version: readVersion(),
    pid: process.pid,
    ready: isReady(),
    started_at: startedAt.toISOString(),
    components: agent.listComponents().map((one) => describeComponent(one, rates)),
  };
}

function describeComponent(component: ComponentStatus, rates: PointRates): object {
  const { kind, id, pipelines, state, since, intervalsMs = {}, lastError } = component;
  const intervals = Object.entries(intervalsMs).map(([setting, ms]) => [setting, describeDuration(ms)]);
  return {
    name: nameOf(component),
    kind,
    id,
    pipelines,
    state,
    since: since.toISOString(),
    intervals: Object.fromEntries(intervals) as Record<string, string>, // Pairs of texts.
    accepted_points: component.acceptedPoints,
    refused_points: component.refusedPoints,
    points_per_second: rates.find(component) ?? null,
    last_error: lastError ? { message: lastError.message, at: lastError.at.toISOString() } : null,
  };
}
