import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeOf, plainOf } from '../config/node.js';
import { completeExecPipeline } from './exec-config.js';

const pipelinesOf = (value: unknown) => plainOf(completeExecPipeline(nodeOf(value)));

test('completeExecPipeline adds exporters that no pipeline names, and no others', () => {
  const completed = pipelinesOf({
    exporters: { summary: null, otlp_http: null, prometheus: null },
    service: {
      pipelines: {
        'metrics/exec': { receivers: ['command', 'rapl'], exporters: ['summary'] },
        metrics: { receivers: ['rapl'], exporters: ['prometheus'] },
      },
    },
  });
  assert.deepEqual(completed, {
    exporters: { summary: null, otlp_http: null, prometheus: null },
    service: {
      pipelines: {
        'metrics/exec': { receivers: ['command', 'rapl'], exporters: ['summary', 'otlp_http'] },
        metrics: { receivers: ['rapl'], exporters: ['prometheus'] },
      },
    },
  });
});

test('completeExecPipeline puts back what the summary needs, when a file has replaced the lists', () => {
  const replaced = { receivers: ['rapl'], exporters: ['otlp_http'] };
  const completed = { receivers: ['command', 'rapl'], exporters: ['summary', 'otlp_http'] };
  assert.deepEqual(pipelinesOf({ service: { pipelines: { 'metrics/exec': replaced } } }), {
    service: { pipelines: { 'metrics/exec': completed } },
  });
});

test('completeExecPipeline leaves what is no list to be validated', () => {
  const wrong = { receivers: 'rapl', exporters: ['summary'] };
  assert.deepEqual(pipelinesOf({ service: { pipelines: { 'metrics/exec': wrong } } }), {
    service: { pipelines: { 'metrics/exec': wrong } },
  });
});

test('completeExecPipeline puts processors that are wanted before those of the pipeline', () => {
  const own = { receivers: ['command'], processors: ['attribution'], exporters: ['summary'] };
  const root = nodeOf({ service: { pipelines: { 'metrics/exec': own } } });
  assert.deepEqual(plainOf(completeExecPipeline(root, ['resource'])), {
    service: { pipelines: { 'metrics/exec': { ...own, processors: ['resource', 'attribution'] } } },
  });
});
