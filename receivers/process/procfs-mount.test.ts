import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findHidePid, hasVirtualStat } from './procfs-mount.js';

const mountInfo = `22 27 0:21 / /proc rw,relatime shared:4 - proc proc rw
40 22 0:51 /proc/stat /proc/stat rw,nosuid master:9 - fuse.lxcfs lxcfs rw,user_id=0
41 22 0:61 / /one rw - proc proc rw,hidepid=1
42 22 0:62 / /two rw - proc proc rw,gid=5,hidepid=invisible
43 22 0:63 / /four rw - proc proc rw,hidepid=ptraceable
44 22 0:64 / /off rw - proc proc rw,hidepid=0
45 22 0:65 / /two/below rw - tmpfs tmpfs rw
`;

test('hasVirtualStat detects the stat of lxcfs on that procfs', () => {
  assert.equal(hasVirtualStat('/proc', mountInfo), true);
  assert.equal(hasVirtualStat('/one', mountInfo), false);
});

test('findHidePid finds what a procfs hides', () => {
  assert.equal(findHidePid('/proc', mountInfo), 'nothing');
  assert.equal(findHidePid('/off', mountInfo), 'nothing');
  assert.equal(findHidePid('/absent', mountInfo), 'nothing');
  assert.equal(findHidePid('/one', mountInfo), 'files');
  assert.equal(findHidePid('/two', mountInfo), 'processes');
  assert.equal(findHidePid('/four', mountInfo), 'processes');
});

test('findHidePid finds nothing hidden from the group of the mount option gid, unless the option is ptraceable', () => {
  assert.equal(findHidePid('/two', mountInfo, [4, 5]), 'nothing');
  assert.equal(findHidePid('/two', mountInfo, [4]), 'processes');
  assert.equal(findHidePid('/one', mountInfo, [0, 5]), 'files');
  assert.equal(
    findHidePid('/four', mountInfo.replace('rw,hidepid=pt', 'rw,gid=5,hidepid=pt'), [5]),
    'processes',
  );
});

test('findHidePid uses the last mount if one covers another', () => {
  assert.equal(findHidePid('/two', `${mountInfo}50 22 0:70 / /two rw - proc proc rw\n`), 'nothing');
});
