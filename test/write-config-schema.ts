// Writes config/schema.json, by which editors complete and check configurations. Run by build.mjs: the file is
// not committed.
import { writeFileSync } from 'node:fs';
import { loadComponentFolders, repositoryRoot } from './component-folders.js';
import { renderConfigSchema } from './config-schema.js';

writeFileSync(
  new URL('config/schema.json', repositoryRoot),
  renderConfigSchema(await loadComponentFolders()),
);
