import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../src/contract/until.js';
import { decodePoints } from '../src/otlp/decode-request.fixture.js';
import { openGrpcBackend } from '../src/otlp/grpc-backend.fixture.js';
import { createFolder, startAgent, writeConfig } from './agent.js';

test('the agent pushes its own telemetry to an OTLP backend, when its configuration says so', async (t) => {
  const backend = await openGrpcBackend(t);
  const config = writeConfig(`
receivers: {simulator: }
exporters: {file: {path: ${join(createFolder(), 'out.jsonl')}}}
service:
  pipelines:
    metrics: {receivers: [simulator], exporters: [file]}
  telemetry:
    resource: {service.name: mine}
    metrics:
      readers:
        - periodic:
            interval: 500ms
            exporter: {otlp: {endpoint: "${backend.endpoint}", insecure: true}}
`);
  const agent = startAgent(['run', '--config', config]);
  t.after(() => agent.stop());
  const findAccepted = () =>
    backend.received
      .flatMap(({ bytes }) => decodePoints(bytes))
      .find(({ name, value }) => name === 'otelcol_receiver_accepted_metric_points' && Number(value) > 0);
  await until(() => findAccepted() !== undefined);
  const { attributes, resource } = findAccepted() ?? assert.fail();
  assert.deepEqual([attributes['receiver'], resource['service.name']], ['simulator', 'mine']);
  const { code, stderr } = await agent.stop();
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /Own metrics at/u);
});
