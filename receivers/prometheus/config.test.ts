import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFactoryFinder } from '../../src/component/find.js';
import { validateComponents } from '../../src/config/components.js';
import { nodeOf } from '../../src/config/node.js';
import type { Problem } from '../../src/config/problem.js';

/** The problems of one job of the receiver. */
async function findProblems(job: object): Promise<string[]> {
  const problems: Problem[] = [];
  const settings = { config: { scrape_configs: [{ job_name: 'j', ...job }] } };
  const node = nodeOf({ receivers: { prometheus: settings } });
  await validateComponents('receiver', node, createFactoryFinder(), problems);
  return problems.map(({ path, message }) => `${path}: ${message}`);
}

test('a job has the layout of the Collector', async () => {
  const job = {
    scrape_interval: '10s',
    scrape_timeout: '5s',
    metrics_path: '/probe',
    scheme: 'https',
    params: { module: ['a', 'b'] },
    static_configs: [{ targets: ['n1:1'], labels: { rack: 'r1' } }],
    file_sd_configs: [{ files: ['/etc/targets/*.json'], refresh_interval: '1m' }],
    basic_auth: { username: 'u', password_file: '/p' },
    tls_config: { ca_file: '/a', server_name: 'n1', insecure_skip_verify: false },
    honor_labels: true,
    honor_timestamps: false,
    relabel_configs: [{ source_labels: ['__address__'], regex: 'n.*', action: 'keep' }],
    metric_relabel_configs: [{ regex: 'a|b', action: 'labeldrop' }],
    sample_limit: 1000,
    body_size_limit: '10MB',
  };
  assert.deepEqual(await findProblems(job), []);
});

test("unsupported settings of the Collector's receiver are rejected with their replacement", async () => {
  const job = { kubernetes_sd_configs: [{ role: 'pod' }], tls_config: { ca: 'x' }, scrape_intervall: '1s' };
  const path = 'receivers.prometheus.config.scrape_configs[0]';
  assert.deepEqual(await findProblems(job), [
    `${path}.kubernetes_sd_configs: unknown setting; write its targets to a file, and name that in file_sd_configs`,
    `${path}.scrape_intervall: unknown setting, did you mean "scrape_interval"?`,
    `${path}.tls_config.ca: unknown setting; write ca_file`,
  ]);
});
