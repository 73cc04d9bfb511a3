// Writes generated text: the settings tables of the READMEs, docs/metrics.md and the code that pages include.
import { readFileSync, writeFileSync } from 'node:fs';
import { renderSettingsTable, replaceTable } from '../src/contract/readme.js';
import { loadComponentFolders, repositoryRoot } from './component-folders.js';
import { fillIncludes, loadExamples, readPages, renderMetricsTable } from './doc-pages.js';
import { fillReaderFaults } from './reader-faults.js';

const folders = await loadComponentFolders();
for (const { readmeUrl, readme, factory } of folders) {
  writeFileSync(readmeUrl, replaceTable(readme, 'Settings', renderSettingsTable(factory.schema)));
}
for (const { readmeUrl, factory } of await loadExamples()) {
  const readme = readFileSync(readmeUrl, 'utf8');
  writeFileSync(readmeUrl, replaceTable(readme, 'Settings', renderSettingsTable(factory.schema)));
}
const metrics = new URL('docs/metrics.md', repositoryRoot);
writeFileSync(
  metrics,
  replaceTable(readFileSync(metrics, 'utf8'), 'All metrics', renderMetricsTable(folders)),
);
const readerFaults = new URL('docs/reader-faults.md', repositoryRoot);
writeFileSync(readerFaults, fillReaderFaults(readFileSync(readerFaults, 'utf8')));
for (const { path, text } of readPages()) writeFileSync(new URL(path, repositoryRoot), fillIncludes(text));
