import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

const moduleUrl = new URL('signals.js', import.meta.url).href;

/** Sends a signal to a program as soon as it says something. @returns what it said, and its exit code */
async function signalled(script: string, signal: NodeJS.Signals) {
  const source = `import { leaveOnSignal, waitForEnd } from ${JSON.stringify(moduleUrl)};
    setInterval(() => {}, 1000);
    ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source]);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (said === '') child.kill(signal);
    said += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { said, code };
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`leaveOnSignal ends a program at ${signal}`, async () => {
    const outcome = await signalled(`leaveOnSignal(); console.log('here');`, signal);
    assert.deepEqual(outcome, { said: 'here\n', code: 0 });
  });

  test(`waitForEnd lets a program end by itself at ${signal}`, async () => {
    const script = `leaveOnSignal();
      const end = waitForEnd();
      console.log('here');
      console.log(await end);
      process.exit(7);`;
    assert.deepEqual(await signalled(script, signal), { said: `here\n${signal}\n`, code: 7 });
  });
}

test('waitForEnd reports SIGHUP and goes on, when there is no terminal that has gone', async () => {
  const script = `leaveOnSignal();
    const end = waitForEnd(() => {
      console.log('hung up');
      process.kill(process.pid, 'SIGTERM');
    });
    console.log('here');
    console.log(await end);
    process.exit(7);`;
  assert.deepEqual(await signalled(script, 'SIGHUP'), { said: 'here\nhung up\nSIGTERM\n', code: 7 });
});

test('leaveOnSignal ignores SIGHUP, when there is no terminal that has gone', async () => {
  const script = `leaveOnSignal();
    process.on('SIGHUP', () => process.exit(7));
    console.log('here');`;
  assert.deepEqual(await signalled(script, 'SIGHUP'), { said: 'here\n', code: 7 });
});

test('waitForEnd leaves at once with the exit code of shells, when a second signal comes', async () => {
  const script = `waitForEnd().then(() => process.kill(process.pid, 'SIGINT'));
    console.log('here');`;
  assert.deepEqual(await signalled(script, 'SIGTERM'), { said: 'here\n', code: 130 });
});
