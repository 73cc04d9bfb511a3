import { testServerFaults } from '../../src/http/server-faults.fixture.js';
import { factory } from './factory.js';

testServerFaults('prometheus targets', {
  factory,
  settings: (addresses) => ({
    config: {
      scrape_configs: [
        {
          job_name: 'job',
          scrape_interval: '100ms',
          scrape_timeout: '100ms',
          static_configs: [{ targets: addresses.map((address) => address.replace('http://', '')) }],
          metrics_path: '/metrics',
        },
      ],
    },
  }),
  answer: () => (_, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    response.end('# TYPE hits counter\nhits 7\nlevel 2.5\n');
  },
  // The metrics of the scrape itself also exist for a target that fails.
  isSubject: (name, host) => name.includes(host) && /^(?:hits|level)/u.test(name),
  ignored: /^(?:up|scrape_)/u,
  problems: { 'no permission': /found 403 Forbidden/u },
});
