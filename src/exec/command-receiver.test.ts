import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../component/fakes.js';
import { CommandReceiver, type CommandPart, type ReadyCommand } from './command-receiver.js';

/** A command that has used `cpuNs`, and notes what is asked of it. */
class FakeCommand implements ReadyCommand {
  readonly calls: string[] = [];
  cpuNs = 0;
  readonly #resource = { attributes: { 'process.pid': 7 } };

  release(): void {
    this.calls.push('release');
  }

  readParts(): readonly CommandPart[] {
    this.calls.push('read');
    return [{ resource: this.#resource, cpuNs: this.cpuNs }];
  }

  settle(): Promise<void> {
    this.calls.push('settle');
    return Promise.resolve();
  }

  finishParts(): readonly CommandPart[] {
    return [{ resource: this.#resource, cpuNs: this.cpuNs }];
  }
}

test('CommandReceiver reads the tree once for each row', async (t) => {
  const next = createTableCollector();
  const receiver = new CommandReceiver(
    { collection_interval: 2 ** 30, procfs: '/proc' },
    createFakeContext(),
    next,
  );
  receiver.start();
  t.after(() => receiver.shutdown());
  receiver.flush();
  const command = new FakeCommand();
  command.cpuNs = 1e9;
  receiver.begin(command);
  assert.deepEqual(command.calls.splice(0), ['read', 'release']);
  command.cpuNs = 2e9;
  receiver.flush();
  assert.deepEqual(command.calls.splice(0), ['read']);
  command.cpuNs = 4e9;
  let isRead = false;
  const ended = receiver.end(() => (isRead = true));
  assert.ok(isRead, 'the boundary is known before anything else happens');
  await ended;
  assert.deepEqual(command.calls.splice(0), ['read', 'settle']);
  receiver.flush();
  assert.deepEqual(command.calls, []);
  const rows = next.tables.filter(({ series }) => series[0]?.metric.name === 'process.cpu.time');
  assert.deepEqual(
    rows.map(({ values }) => values[0]),
    [0, 1, 3],
  );
});
