import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listProcessTree } from '../src/linux/children.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';

const main = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const launcher = fileURLToPath(new URL('../../bin/joulemetry', import.meta.url));
const folder = createFolder();

/** As installed by npm; `node` is the one that runs this test. */
const installed = join(folder, 'joulemetry');
symlinkSync(launcher, installed);
const bin = join(folder, 'bin');
spawnSync('mkdir', [bin]);
symlinkSync(process.execPath, join(bin, 'node'));
const path = `${bin}:${process.env['PATH'] ?? ''}`;

const wrapped = ['exec', '-q', '--'];
const viaLauncher = [installed, ...wrapped];
const viaNode = [process.execPath, main, ...wrapped];

const hasEnvBlock = spawnSync('env', ['--block-signal=USR1', 'true']).status === 0;
const skip = hasEnvBlock ? false : 'no env(1) that can block signals';

/** Everything that a program inherits from its parent process, set to unusual values. */
const unusual = `trap "" HUP USR2 QUIT; ulimit -Sn 300; ulimit -c 0; ulimit -Ss 4096; umask 027
  echo 500 > /proc/self/oom_score_adj; echo 0x11 > /proc/self/coredump_filter
  exec nice -n 3 env --block-signal=USR1,TERM --ignore-signal=PIPE -- "$@"`;
const view = [
  'status',
  'limits',
  'cgroup',
  'stat',
  'oom_score_adj',
  'coredump_filter',
  'environ',
  'cmdline',
].map((name) => `/proc/self/${name}`);

/** Values that differ from one process to the next. */
const passing =
  /^(?:Pid|Tgid|NS\w+|Ngid|PPid|Vm\w+|Rss\w+|\w*voluntary\w+|Hugetlb\w+|FDSize|SigQ|CoreDumping|Speculation\w*|x86\w*):.*\n/gm;
/** proc_pid_stat(5): process group, session, terminal and its group; priority, nice; real-time priority, policy. */
const lasting = [4, 5, 6, 7, 17, 18, 39, 40];

function viewOf(prefix: readonly string[], environment: NodeJS.ProcessEnv): string {
  const { stdout, stderr, status } = spawnSync('sh', ['-c', unusual, 'sh', ...prefix, 'cat', ...view], {
    env: environment,
    encoding: 'latin1',
  });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout
    .replace(/^\d+ \(cat\) .*$/m, (stat) => lasting.map((field) => stat.split(' ')[field]).join(' '))
    .replaceAll(passing, '');
}

const odd = { PATH: path, PWD: '/wrong', OLDPWD: '/u', SHLVL: '9', _: '/u', 'BASH_FUNC_f%%': '() { :; }' };

test('the command under joulemetry exec inherits the same as under env', { skip }, () => {
  const wanted = viewOf(['env'], odd);
  assert.match(wanted, /^SigBlk:\t0*4200$/m);
  assert.match(wanted, /^SigIgn:\t[0-9a-f]*1805$/m);
  assert.equal(viewOf(viaLauncher, odd), wanted);
});

const ignoresChildren = /^SigIgn:\t[0-9a-f]*[13579bdf][0-9a-f]{4}$/m;
const status = ['grep', 'SigIgn', '/proc/self/status'];
const hasBash = spawnSync('bash', ['-c', 'true']).status === 0 ? false : 'no bash';

/** The signals that a command ignores when it is started with some signals ignored. */
function showIgnored(signals: string, command: readonly string[]): string {
  const env = { ...process.env, PATH: path };
  return spawnSync('env', [...signals.split(' '), ...command, ...status], { env, encoding: 'utf8' }).stdout;
}

test(
  'the command ignores the same signals as under env, where the shell is bash',
  { skip: skip || hasBash },
  () => {
    assert.match(showIgnored('--ignore-signal=CHLD', ['env']), ignoresChildren);
    for (const signals of ['--ignore-signal=CHLD', '--ignore-signal=QUIT,CHLD', '--default-signal=QUIT']) {
      const wanted = showIgnored(signals, ['env']);
      assert.equal(showIgnored(signals, ['bash', ...viaLauncher]), wanted);
      // The second run starts only if the exit code of the first is known.
      const twice = ['bash', installed, 'exec', '-q', '-r', '1', '--baseline', '0'];
      assert.equal(showIgnored(signals, twice), wanted.repeat(2));
    }
  },
);

const libraries = new URL('../src/linux/', import.meta.url).href;

/** Ignores SIGCHLD, starts its arguments, which inherit that, and keeps running. */
const ignoringParent = `
  import { noteInherited } from '${libraries}inherited.js';
  import { libc } from '${libraries}libc.js';
  import { spawnProgram } from '${libraries}posix-spawn.js';
  import { restoreInherited } from '${libraries}restore-inherited.js';
  restoreInherited(noteInherited());
  libc.func('uintptr_t signal(int number, uintptr_t disposition)')(17, 1);
  const [program, ...args] = process.argv.slice(1);
  const plan = { closed: [], passes: [], spareFd: -1, blockedSignals: 0n, defaultSignals: 0n };
  await spawnProgram({ ...plan, program, argv: [program, ...args], environment: undefined });
  setInterval(() => {}, 1000);`;

test('the command ignores SIGCHLD where the parent does', async (t) => {
  for (const prefix of [['env'], viaLauncher, viaNode]) {
    const args = ['--input-type=module', '-e', ignoringParent, '--', ...prefix, ...status];
    const parent = spawn(process.execPath, args, { env: { ...process.env, PATH: path } });
    t.after(() => parent.kill('SIGKILL'));
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    assert.match(line.toString(), ignoresChildren, prefix[0]);
  }
});

const known = (text: string) => text.replaceAll(/^(?:Sig(?:Blk|Ign)|Max open files).*$/gm, '');

test('the command gets everything that Node keeps when Node is called by its name', { skip }, () => {
  const environment = { ...odd, PATH: path, OPTIND: '7', 'a-b': 'c' };
  const direct = ['env', ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)];
  // Set after the shell that prepares everything, which would otherwise change the environment.
  const clear = [...direct, ...viaNode];
  assert.equal(known(viewOf(clear, odd)), known(viewOf([...direct, 'env'], odd)));
});

/** The descriptors of a command, with their targets. */
function descriptorsOf(prefix: readonly string[], redirect: string): string {
  const script = `exec 3</etc/passwd 4>>${folder}/f 9<>${folder}/f 11</etc 16</etc/passwd ${redirect}; exec "$@"`;
  const ls = ['sh', '-c', 'ls -l /proc/$$/fd >&2'];
  const { stderr } = spawnSync('bash', ['-c', script, 'bash', ...prefix, ...ls], {
    env: { ...process.env, PATH: path },
    encoding: 'utf8',
  });
  return [...stderr.matchAll(/(\d+) -> (\S+)/g)]
    .map(([, fd, target]) => `${fd} ${target}`.replace(/(?:pipe|socket):.*/, 'pipe or socket'))
    .toSorted()
    .join('\n');
}

const redirects = [
  '',
  '63</etc/passwd',
  '<&-',
  '>&-',
  '<&- >&-',
  '5< <(echo)',
  '>&- 5>/dev/null',
  '>/dev/null',
];

for (const redirect of redirects) {
  test(`the command has the descriptors that it has under env: ${redirect}`, { skip: hasBash }, () => {
    const wanted = descriptorsOf(['env'], redirect);
    assert.match(wanted, /^16 \/etc\/passwd$/m);
    assert.equal(descriptorsOf(viaLauncher, redirect), wanted);
    if (!redirect.includes('&-')) assert.equal(descriptorsOf(viaNode, redirect), wanted);
  });
}

test('a stream that was closed below a shell is closed for the command', () => {
  for (const prefix of [viaLauncher, viaNode]) {
    const closed = '"$@" sh -c "[ -e /proc/\\$\\$/fd/1 ] && echo open >&2 || echo closed >&2" >&-; true';
    const { stderr } = spawnSync('sh', ['-c', closed, 'sh', ...prefix], {
      env: { ...process.env, PATH: path },
      encoding: 'utf8',
    });
    assert.equal(stderr, 'closed\n', prefix[0]);
  }
});

const hasMake = spawnSync('make', ['--version']).status === 0 ? false : 'no make';

test('a nested make reaches the jobserver of the outer one', { skip: hasMake }, () => {
  writeFileSync(join(folder, 'inner.mk'), 'all: x y\nx y:\n\t@echo $@\n');
  for (const prefix of [viaLauncher, viaNode]) {
    writeFileSync(join(folder, 'outer.mk'), `all:\n\t+@${prefix.join(' ')} $(MAKE) -f inner.mk\n`);
    const { stdout, stderr } = spawnSync('make', ['-j2', '-f', 'outer.mk'], {
      cwd: folder,
      env: { ...process.env, PATH: path },
      encoding: 'utf8',
    });
    assert.doesNotMatch(stdout + stderr, /jobserver unavailable/);
    assert.match(stdout, /^x$/m);
  }
});

test('nohup keeps the command and its measurement from ending when the terminal hangs up', async () => {
  const file = join(folder, 'hung-up');
  const script = `trap "" HUP; exec "$@"`;
  const work = `echo ready; while [ ! -e ${file} ]; do sleep 0.02; done; echo done`;
  const child = spawn('sh', ['-c', script, 'sh', installed, 'exec', 'sh', '-c', work], {
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let report = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (report += chunk.toString()));
  await until(() => output === 'ready\n');
  const pid = child.pid ?? 0;
  const [, command = 0] = listProcessTree(pid);
  assert.ok(command > 0);
  process.kill(pid, 'SIGHUP');
  process.kill(command, 'SIGHUP');
  writeFileSync(file, '');
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0);
  assert.equal(output, 'ready\ndone\n');
  assert.match(report, /exit code 0/);
});

test('the command gets arguments and variables that are not UTF-8 unchanged', () => {
  const script = `a=$(printf 'n\\377'); V=$(printf 'v\\376') "$@" sh -c 'printf "%s %s" "$1" "$V"' sh "$a"`;
  for (const prefix of [viaLauncher, viaNode]) {
    const { stdout } = spawnSync('sh', ['-c', script, 'sh', ...prefix], {
      env: { ...process.env, PATH: path },
      encoding: 'latin1',
    });
    assert.equal(stdout, 'n\u00ff v\u00fe', prefix[0]);
  }
});

test('the streams of the command are still blocking', () => {
  const flags = 'grep flags /proc/self/fdinfo/1 /proc/self/fdinfo/2 >&2';
  const run = (prefix: readonly string[]) =>
    spawnSync('sh', ['-c', '{ "$@" 2>&1 | cat; } 2>&1 | cat', 'sh', ...prefix, 'sh', '-c', flags], {
      env: { ...process.env, PATH: path },
      encoding: 'utf8',
    }).stdout.replaceAll(/\d+$/gm, (octal) => `${Number.parseInt(octal, 8) & 0o4003}`);
  for (const prefix of [viaLauncher, viaNode]) assert.equal(run(prefix), run(['env']));
});
