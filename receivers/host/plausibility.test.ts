import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { valuesOf } from '../../src/scraping/source.fixture.js';
import { copyMachine, openScraper, readSteps, type ProcFiles } from './host-machine.fixture.js';

const kib = (lines: ProcFiles) =>
  Object.entries(lines)
    .map(([name, text]) => `${name}: ${text} kB\n`)
    .join('');

test('MemoryGroup leaves swap out when its free part is negative, as in lxcfs', (t) => {
  const meminfo = kib({
    MemTotal: '20971520',
    MemFree: '8615216',
    MemAvailable: '8615216',
    Buffers: '0',
    Cached: '9258920',
    Shmem: '322176',
    SwapTotal: '0',
    SwapFree: '18446744073709551488',
    SReclaimable: '383268',
    SUnreclaim: '1822392',
  });
  const { values, lines } = readSteps(t, ['memory'], [{ meminfo }, { meminfo }]);
  for (const reading of values) {
    assert.equal(reading['system.paging.usage used'], NaN);
    assert.equal(reading['system.paging.usage free'], NaN);
    assert.equal(reading['system.memory.usage used'], 12_652_855_296);
    assert.equal(reading['system.memory.usage cached'], 9_481_134_080);
  }
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? '',
    /^warn: Cannot use "SwapFree:" of .*meminfo in bytes: expected 0 to 0, found 1\.8/u,
  );
});

test('MemoryGroup leaves out values below 0 or above their total, and reports them again when they are possible', (t) => {
  const lines = { MemTotal: '100', MemFree: '101', MemAvailable: '-1', SwapTotal: '10', SwapFree: '11' };
  const good = { ...lines, MemFree: '40', MemAvailable: '50', SwapFree: '4' };
  const { values } = readSteps(t, ['memory'], [{ meminfo: kib(lines) }, { meminfo: kib(good) }]);
  const [bad = {}, fine = {}] = values;
  const names = ['system.memory.usage used', 'system.memory.usage free', 'system.memory.linux.available'];
  assert.deepEqual(
    [...names, 'system.paging.usage used'].map((name) => bad[name]),
    [NaN, NaN, NaN, NaN],
  );
  assert.equal(bad['system.memory.limit'], 102_400);
  assert.deepEqual(
    [...names, 'system.paging.usage used'].map((name) => fine[name]),
    [51_200, 40_960, 51_200, 6144],
  );
});

test('CpuGroup leaves out impossible thread counts and CPUs that are not listed', (t) => {
  const stat =
    'cpu  1 2 3 4\nctxt 1\nprocesses 2\nprocs_running 4294967295\nprocs_blocked 18446744073709551615\n';
  const { values, lines } = readSteps(t, ['cpu'], [{ stat }]);
  assert.equal(values[0]?.['system.linux.thread.count running'], NaN);
  assert.equal(values[0]?.['system.linux.thread.count blocked'], NaN);
  assert.equal(values[0]?.['system.cpu.logical.count'], NaN);
  assert.equal(lines.length, 2);
});

test('LoadGroup leaves out impossible loads and uptimes, and refuses text that is not a number', (t) => {
  const loadavg = '18446744073709551.00 -1.00 0.25 1/2 3\n';
  const { values } = readSteps(t, ['load'], [{ loadavg, uptime: '-5.00 1.00\n' }]);
  assert.deepEqual(values[0], {
    'system.cpu.load_average.1m': NaN,
    'system.cpu.load_average.5m': NaN,
    'system.cpu.load_average.15m': 0.25,
    'system.uptime': NaN,
  });
  for (const text of ['0.1  0.2 1/2 3\n', '1e999 0 0\n', 'Infinity 0 0\n', '0x10 0 0\n']) {
    assert.throws(
      () => readSteps(t, ['load'], [{ loadavg: text }]),
      /loadavg: expected 3 decimal numbers/u,
      text,
    );
  }
});

test('FrequencyGroup leaves out impossible frequencies', (t) => {
  const folder = copyMachine('server');
  const write = (cpu: number, text: string) =>
    writeFileSync(join(folder, `sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_cur_freq`), text);
  ['0\n', '<unknown>\n', '-1\n', '4294967295\n'].forEach((text, cpu) => write(cpu, text));
  const scraper = openScraper(t, folder, ['frequency']);
  assert.deepEqual(Object.values(valuesOf(scraper.scrape(0))), [NaN, NaN, NaN, NaN]);
});

const cpuBlock = (number: string, mhz: string) => `processor\t: ${number}\nflags\t\t: a\n${mhz}\n`;

const mhzLine = (text: string) => `cpu MHz\t\t: ${text}\n`;

test('FrequencyGroup assigns each CPU its own frequency when cpuinfo lacks some or has numbers of missing CPUs', (t) => {
  const folder = copyMachine('old');
  const text =
    cpuBlock('0', '') +
    cpuBlock('1', mhzLine('1500.5')) +
    cpuBlock('', mhzLine('1')) +
    cpuBlock('2', mhzLine('0.000'));
  writeFileSync(join(folder, 'proc/cpuinfo'), text);
  assert.deepEqual(valuesOf(openScraper(t, folder, ['frequency']).scrape(0)), {
    'system.cpu.frequency 1': 1_500_500_000,
    'system.cpu.frequency 2': NaN,
  });
});
