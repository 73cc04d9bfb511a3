// Prints the section of CHANGELOG.md for a tag, without its heading: node release-notes.mjs v0.2.0
// Fails where package.json has another version, or the section is missing or empty.
import { readFileSync } from 'node:fs';

const [tag = ''] = process.argv.slice(2);
const version = tag.replace(/^v/u, '');
const { version: packaged } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const sections = readFileSync(new URL('CHANGELOG.md', import.meta.url), 'utf8').split(/^## /mu);
const section = sections.find((text) => text.split(/\s/u, 1)[0] === version);
const notes = section?.slice(section.indexOf('\n')).trim() ?? '';

function fail(expected, found) {
  console.error(`Cannot write the release notes of "${tag}": expected ${expected}, found ${found}`);
  process.exit(1);
}

if (version !== packaged) fail(`the version of package.json, ${packaged}`, version || 'no tag');
if (notes === '')
  fail(`a section "## ${version}" in CHANGELOG.md`, section === undefined ? 'none' : 'an empty one');
console.log(notes);
