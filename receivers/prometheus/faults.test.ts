import { testServerFaults } from '../../src/http/server-faults.fixture.js';
import { factory } from './factory.js';

testServerFaults('prometheus targets', {
  factory,
  settings: (addresses, caFile) => ({
    config: {
      scrape_configs: [
        {
          job_name: 'job',
          scrape_interval: '300ms',
          scrape_timeout: '300ms',
          static_configs: [{ targets: addresses.map((address) => address.replace(/^.*\/\//u, '')) }],
          metrics_path: '/metrics',
          ...(caFile !== undefined && { scheme: 'https', tls_config: { ca_file: caFile } }),
        },
      ],
    },
  }),
  answer: (device) => (_, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end(`# TYPE hits counter\nhits ${device.isReset ? 0 : 7}\nlevel 2.5\n`);
  },
  counters: /^hits/u,
  // The metrics of the scrape itself also exist for a target that fails.
  isSubject: (name, host) => name.includes(host) && /^(?:hits|level)/u.test(name),
  ignored: /^(?:up|scrape_)/u,
  problems: {
    'no permission': /found 403 Forbidden/u,
    'no password': /found 401 Unauthorized/u,
  },
});
