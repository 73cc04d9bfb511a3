import assert from 'node:assert/strict';
import type { FileParser } from '../../receivers/cgroup/file-reader.js';
import { DeviceNames } from '../../receivers/cgroup/io-files.js';
import { findCpuFile, listDetailFiles } from '../../receivers/cgroup/list-files.js';
import type { SlotScope } from '../../receivers/cgroup/slots.js';
import { DescriptorBudget } from '../../src/linux/budgeted-file.js';
import type { CgroupFolder } from '../../src/linux/cgroup/tree.js';

const metrics = { cpu: true, memory: true, memory_details: true, io: true, pids: true, pressure: true };
const controllers = ['cpu', 'cpuacct', 'memory', 'blkio', 'pids'];
const options = {
  metrics,
  budget: new DescriptorBudget(0),
  devices: new DeviceNames('/absent'),
  isContainer: true,
  packages: undefined,
};

const folderOf = (version: 1 | 2): CgroupFolder => ({
  hierarchy: { version, folder: '/absent', root: '/', controllers: version === 1 ? controllers : [] },
  path: '/a',
  folder: '/absent/a',
  isBorn: false,
  firstSeenMs: 0,
  inode: 0,
  depth: 1,
});

/** Passes a text to the parser of every cgroup file, whose values have to be gaps or counts. */
export function parseCgroupFiles(input: Buffer): void {
  for (const folder of [folderOf(1), folderOf(2)]) {
    const cpu = findCpuFile(folder, options);
    for (const parser of [...listDetailFiles(folder, options), ...(cpu ? [cpu] : [])]) parse(parser, input);
  }
}

function parse(parser: FileParser, input: Buffer): void {
  const scope: SlotScope = {
    resource: { attributes: {} },
    nowNs: 2n,
    zeroAtNs: 1n,
    isChanged: false,
    ended: [],
  };
  parser.parse(input, input.length, scope);
  for (const { series, values } of parser.slots) {
    assert.equal(series.length, values.length);
    for (const value of values) assert.ok(!(value < 0), `${parser.file} has a value of ${value}`);
  }
}
