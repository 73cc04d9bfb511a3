import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { hasKernelOption } from './kernel-config.js';

const option = 'CONFIG_IRQ_TIME_ACCOUNTING';

test('hasKernelOption reads config.gz of procfs, else the file of the release in boot', () => {
  const folder = createFolder();
  assert.equal(hasKernelOption(option, folder, folder), undefined);
  mkdirSync(join(folder, 'sys/kernel'), { recursive: true });
  writeFileSync(join(folder, 'sys/kernel/osrelease'), '6.1.0-9-amd64\n');
  writeFileSync(join(folder, 'config-6.1.0-9-amd64'), `${option}=y\n`);
  assert.equal(hasKernelOption(option, folder, folder), true);
  writeFileSync(
    join(folder, 'config.gz'),
    gzipSync(`# ${option} is not set\nCONFIG_HAVE_IRQ_TIME_ACCOUNTING=y\n`),
  );
  assert.equal(hasKernelOption(option, folder, folder), false);
});
