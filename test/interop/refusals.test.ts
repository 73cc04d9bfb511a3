import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { until } from '../../src/testing/until.js';
import { startAnswers, type AnsweredRequest } from './answers.js';
import { startCollector } from './collector.js';
import { assertDelivered, countLost, startMeasuredAgent, type MeasuredAgent } from './measured-agent.js';
import { isWithout } from './peers.js';
import { assertSamePoints, pointsOf } from './points.js';

const exporters = ['otlp_grpc', 'otlp_http'] as const;
const withoutAnswers = isWithout('otlp-answers');
const withoutCollector = isWithout('otelcol');

/** The exchange between a whole agent and a backend that answers by a script. */
interface Conversation {
  readonly requests: readonly AnsweredRequest[];
  readonly agent: MeasuredAgent;
  readonly stderr: string;
}

async function talk(
  t: TestContext,
  exporter: (typeof exporters)[number],
  script: readonly string[],
): Promise<Conversation> {
  const backend = await startAnswers(t, script);
  const endpoint = exporter === 'otlp_grpc' ? backend.grpc : `http://${backend.http}`;
  const agent = await startMeasuredAgent(t, { exporter, settings: `{endpoint: '${endpoint}'}` });
  await until(() => backend.requests().length >= script.length + 2);
  const delivered = () =>
    pointsOf(
      backend
        .requests()
        .filter(isFinal)
        .map(({ request }) => request),
    ).length;
  const { code, stderr } = await agent.finish(delivered);
  assert.equal(code, 0);
  return { requests: backend.requests(), agent, stderr };
}

/** Whether a request is not repeated after an answer: it was accepted, or refused permanently. */
function isFinal({ answer }: AnsweredRequest): boolean {
  return answer === 'ok' || answer.startsWith('partial') || ['8', '400'].includes(answer);
}

function pointsTaken(requests: readonly AnsweredRequest[]) {
  return pointsOf(requests.filter(({ answer }) => answer === 'ok').map(({ request }) => request));
}

const waits = [
  { exporter: 'otlp_grpc', answer: '8+1500ms', what: 'RESOURCE_EXHAUSTED with RetryInfo', waitMs: 1500 },
  { exporter: 'otlp_grpc', answer: '14', what: 'UNAVAILABLE', waitMs: 0 },
  { exporter: 'otlp_grpc', answer: '14+1500ms', what: 'UNAVAILABLE with RetryInfo', waitMs: 1500 },
  { exporter: 'otlp_http', answer: '429+2s', what: '429 with Retry-After', waitMs: 2000 },
  { exporter: 'otlp_http', answer: '503+2s', what: '503 with Retry-After', waitMs: 2000 },
  { exporter: 'otlp_http', answer: '429', what: '429', waitMs: 0 },
  { exporter: 'otlp_http', answer: '503', what: '503', waitMs: 0 },
] as const;

for (const { exporter, answer, what, waitMs } of waits) {
  test(
    `${exporter} repeats the request after ${what}, not too early`,
    { skip: withoutAnswers },
    async (t) => {
      const { requests, agent, stderr } = await talk(t, exporter, [answer]);
      const [refused, repeated] = requests;
      assert.deepEqual([refused?.answer, repeated?.answer], [answer, 'ok']);
      assert.deepEqual(repeated?.request, refused?.request);
      const waited = (repeated?.at ?? 0) - (refused?.at ?? 0);
      t.diagnostic(`sent again after ${waited} ms`);
      assert.ok(waited >= waitMs);
      const found = pointsTaken(requests);
      assertDelivered({ code: 0, stdout: '', stderr }, exporter, { found, sent: agent.sent() });
    },
  );
}

const refusals = [
  { exporter: 'otlp_grpc', answer: '8', what: 'RESOURCE_EXHAUSTED without RetryInfo' },
  { exporter: 'otlp_http', answer: '400', what: '400' },
] as const;

for (const { exporter, answer, what } of refusals) {
  test(
    `${exporter} counts a request as lost after ${what}, and continues`,
    { skip: withoutAnswers },
    async (t) => {
      const { requests, agent, stderr } = await talk(t, exporter, [answer]);
      const [refused, ...others] = requests;
      assert.equal(refused?.answer, answer);
      assert.equal(countLost(stderr), pointsOf([refused.request]).length);
      assertSamePoints([...pointsOf([refused.request]), ...pointsTaken(others)], agent.sent());
    },
  );
}

for (const exporter of exporters) {
  test(
    `${exporter} counts the points that a partial success rejected, and does not repeat them`,
    { skip: withoutAnswers },
    async (t) => {
      const { requests, agent, stderr } = await talk(t, exporter, ['partial=3']);
      // A backend cannot reject more points than it received: the first request may have only two readings.
      const [first] = requests;
      assert.equal(countLost(stderr), Math.min(3, pointsOf(first ? [first.request] : []).length));
      assert.match(stderr, /too old/);
      assertSamePoints(pointsOf(requests.map(({ request }) => request)), agent.sent());
    },
  );

  test(
    `${exporter} loses nothing while a Collector is out of memory`,
    { skip: withoutCollector },
    async (t) => {
      // Below the memory that the program itself uses: everything is refused, with UNAVAILABLE and 503.
      const over = 'processors: {memory_limiter: {check_interval: 100ms, limit_mib: 1}}';
      const { written, stop, waitFor } = await startCollector(t, { over });
      const agent = await startMeasuredAgent(t, { exporter });
      await waitFor(/data refused due to high memory usage|[Mm]emory usage is above (?:soft|hard) limit/u);
      await until(() => agent.sent().length > 2000);
      assert.equal(written.points.length, 0);
      await stop();
      const second = await startCollector(t, { written });
      const outcome = await agent.finish(() => written.points.length);
      await second.stop();
      t.diagnostic(/Cannot export .*/u.exec(outcome.stderr)?.[0] ?? 'never refused');
      assert.match(outcome.stderr, /Cannot export to \S+: (?:UNAVAILABLE|HTTP 503)/u);
      assertDelivered(outcome, exporter, { found: written.points, sent: agent.sent() });
    },
  );
}
