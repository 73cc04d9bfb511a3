import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { BudgetedFile, DescriptorBudget } from './budgeted-file.js';

const buffer = Buffer.alloc(64);

test('BudgetedFile reads the present content repeatedly, with a descriptor and without', () => {
  const path = createPath();
  for (const limit of [1, 0]) {
    const file = new BudgetedFile(path, new DescriptorBudget(limit));
    writeFileSync(path, 'first');
    assert.equal(file.read(buffer), 5);
    writeFileSync(path, 'and again');
    assert.equal(file.read(buffer), 9);
    assert.equal(buffer.toString('utf8', 0, 9), 'and again');
    file.close();
  }
});

test('BudgetedFile keeps no more descriptors than it may, and gives them back', () => {
  const path = createPath();
  const budget = new DescriptorBudget(1);
  const before = countDescriptors();
  const [one, two] = [new BudgetedFile(path, budget), new BudgetedFile(path, budget)];
  one.read(buffer);
  two.read(buffer);
  assert.equal(countDescriptors(), before + 1);
  one.close();
  one.close();
  assert.equal(countDescriptors(), before);
  two.read(buffer);
  assert.equal(countDescriptors(), before + 1);
  two.close();
});

test('BudgetedFile keeps no descriptor out of the reserve for others', () => {
  const path = createPath();
  const before = countDescriptors();
  const file = new BudgetedFile(path, new DescriptorBudget(9, 0));
  assert.equal(file.read(buffer), 0);
  assert.equal(countDescriptors(), before);
});

test('DescriptorBudget gives up what is kept, and keeps half as many from then on', () => {
  const path = createPath();
  const budget = new DescriptorBudget(9);
  const files = [1, 2, 3, 4].map(() => new BudgetedFile(path, budget));
  const before = countDescriptors();
  for (const file of files) file.read(buffer);
  assert.equal(budget.giveUp(), true);
  assert.equal(countDescriptors(), before);
  assert.equal(budget.giveUp(), false);
  for (const file of files) assert.equal(file.read(buffer), 0);
  assert.equal(countDescriptors(), before + 2);
  budget.giveUp();
});

test('BudgetedFile says gone, when there is no such file or its process has ended', async () => {
  assert.equal(new BudgetedFile('/proc/self/absent', new DescriptorBudget(1)).read(buffer), 'gone');
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const file = new BudgetedFile(`/proc/${child.pid}/stat`, new DescriptorBudget(1));
  assert.equal(file.read(buffer), buffer.length);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  await ended;
  assert.equal(file.read(buffer), 'gone');
  file.close();
});

test('BudgetedFile says failed, when the file cannot be read otherwise', () => {
  const file = new BudgetedFile('/proc/self', new DescriptorBudget(1));
  assert.equal(file.read(buffer), 'failed');
  file.close();
});

function createPath(): string {
  const folder = createFolder();
  const path = join(folder, 'file');
  writeFileSync(path, '');
  return path;
}

function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
