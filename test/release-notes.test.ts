import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { repositoryRoot } from './component-folders.js';

function run(changelog: string, tag: string) {
  const folder = createFolder();
  const script = join(folder, 'release-notes.mjs');
  copyFileSync(fileURLToPath(new URL('release-notes.mjs', repositoryRoot)), script);
  writeFileSync(join(folder, 'package.json'), '{"version": "1.2.0"}');
  writeFileSync(join(folder, 'CHANGELOG.md'), changelog);
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, tag], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('release-notes.mjs prints the section of a version', () => {
  const changelog =
    '# Changelog\n\n## Unreleased\n\n- c\n\n## 1.2.0 (2026-12-01)\n\n- b\n\n### More\n\n## 1.1.0\n\n- a\n';
  assert.deepEqual(run(changelog, 'v1.2.0'), { status: 0, stdout: '- b\n\n### More\n', stderr: '' });
});

test('release-notes.mjs fails where the version or its section is missing', () => {
  const [missing, empty, other] = [
    run('# Changelog\n\n## Unreleased\n', 'v1.2.0'),
    run('## 1.2.0\n\n## 1.1.0\n', 'v1.2.0'),
    run('## 1.3.0\n\n- a\n', 'v1.3.0'),
  ];
  assert.deepEqual([missing.status, empty.status, other.status], [1, 1, 1]);
  assert.match(missing.stderr, /expected a section "## 1\.2\.0" in CHANGELOG\.md, found none$/mu);
  assert.match(empty.stderr, /found an empty one$/mu);
  assert.match(other.stderr, /expected the version of package\.json, 1\.2\.0, found 1\.3\.0$/mu);
});
