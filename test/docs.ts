// Writes what is generated: the settings tables of the READMEs and config/schema.json.
import { writeFileSync } from 'node:fs';
import { replaceTable, renderSettingsTable } from '../src/contract/readme.js';
import { loadComponentFolders, repositoryRoot } from './component-folders.js';
import { renderConfigSchema } from './config-schema.js';

const folders = await loadComponentFolders();
for (const { readmeUrl, readme, factory } of folders) {
  writeFileSync(readmeUrl, replaceTable(readme, 'Settings', renderSettingsTable(factory.schema)));
}
writeFileSync(new URL('config/schema.json', repositoryRoot), renderConfigSchema(folders));
