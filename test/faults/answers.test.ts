import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DecodedPoint } from '../../src/otlp/decode-request.fixture.js';
import { until } from '../../src/testing/until.js';
import { startAnswers, type AnsweredRequest } from '../interop/answers.js';
import { isWithout } from '../interop/peers.js';
import { pointsOf } from '../interop/points.js';
import { createRestartedAgent } from './restarted-agent.js';

const skip = isWithout('otlp-answers');

const answers = [
  { exporter: 'otlp_http', script: ['429', '429+1s'], fault: '429 twice', lost: 0 },
  { exporter: 'otlp_http', script: ['503', '503+1s'], fault: '503 twice', lost: 0 },
  { exporter: 'otlp_http', script: ['502', '502+1s'], fault: '502 twice', lost: 0 },
  { exporter: 'otlp_http', script: ['504', '504+1s'], fault: '504 twice', lost: 0 },
  { exporter: 'otlp_http', script: ['413'], fault: '413 once', lost: 0 },
  {
    exporter: 'otlp_http',
    script: ['partial=3'],
    fault: 'Partial success, up to 3 points rejected',
    lost: 3,
  },
  { exporter: 'otlp_grpc', script: ['8+1s', '14'], fault: 'RESOURCE_EXHAUSTED, UNAVAILABLE', lost: 0 },
  {
    exporter: 'otlp_grpc',
    script: ['partial=3'],
    fault: 'Partial success, up to 3 points rejected',
    lost: 3,
  },
] as const;

for (const { exporter, script, fault, lost: most } of answers) {
  test(`${exporter} after an answer of ${script.join(', ')}: ${fault}`, { skip }, async (t) => {
    const backend = await startAnswers(t, script);
    const endpoint = exporter === 'otlp_grpc' ? backend.grpc : `http://${backend.http}`;
    const agent = await createRestartedAgent(t, { exporter, settings: `{endpoint: '${endpoint}'}` });
    await agent.start();
    await until(() => backend.requests().length >= script.length + 2);
    await agent.finish();
    // A backend cannot reject more points than it received: the first request may have only two readings.
    const [first] = backend.requests();
    const wanted = Math.min(most, pointsOf(first ? [first.request] : []).length);
    const received = () => backend.requests().flatMap(takenPoints);
    await until(() => received().length >= agent.sent().length - wanted);
    const { lost, doubled, strange } = agent.account(fault, received());
    assert.deepEqual([lost.length, doubled, strange], [wanted, 0, []]);
    assert.deepEqual(await agent.countDropped(), wanted === 0 ? {} : { partial_success: wanted });
    assert.equal((await agent.stop()).code, 0);
  });
}

/** In a partial success the first points count as the rejected ones. */
function takenPoints({ answer, request }: AnsweredRequest): readonly DecodedPoint[] {
  if (answer === 'ok') return pointsOf([request]);
  const rejected = /^partial=(?<count>\d+)$/u.exec(answer)?.groups?.['count'];
  return rejected === undefined ? [] : pointsOf([request]).slice(Number(rejected));
}
