import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { listOpenMaps } from '../../src/linux/bpf/open-maps.fixture.js';
import { skip } from '../../src/linux/bpf/real-kernel.fixture.js';
import { findLeftOpen } from '../../src/linux/few-descriptors.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { factory } from './factory.js';

test('ProcessReceiver leaves no program in the kernel when it cannot start', { skip }, async () => {
  // That of its own pid namespace, so that eBPF is used, but without the busy time of the machine.
  const procfs = createFolder();
  mkdirSync(join(procfs, 'self'));
  writeFileSync(join(procfs, 'self/status'), `NSpid:\t${process.pid}\n`);
  const before = listOpenMaps('self');
  const config = parseSettings(factory.schema, { procfs, cpu_time: 'ebpf' });
  const receiver = factory.create(config, createFakeContext(), createTableCollector());
  await assert.rejects(async () => receiver.start(), /stat/u);
  assert.deepEqual(listOpenMaps('self'), before);
  await receiver.shutdown();
});

const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);

test('ProcessScraper leaves no descriptor open if it cannot open all that it needs', () => {
  const script = `import { createFakeContext } from ${url('../../src/component/fakes.js')};
    import { parseSettings } from ${url('../../src/config/settings.js')};
    import { schema } from ${url('./config.js')};
    import { ProcessScraper } from ${url('./process-scraper.js')};
    const config = parseSettings(schema, {});
    const context = { ...createFakeContext(), cpuTime: undefined, tickNs: 1e7, readBootNs: () => 0n };
    const attempt = () => new ProcessScraper(config, context).close();`;
  assert.equal(findLeftOpen(script), '');
});
