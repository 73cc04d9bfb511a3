import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricKind } from '../model/series.js';
import { nameFamily, translateLabel, translateMetric } from './names.js';

const sampleOf = (name: string, unit: string, kind: MetricKind) =>
  translateMetric({ name, unit, kind }).sample;

test('translateMetric names samples as the Go translator does', () => {
  const expected: [string, string, MetricKind, string][] = [
    ['hw.energy', 'J', 'counter', 'hw_energy_joules_total'],
    ['hw.power', 'W', 'gauge', 'hw_power_watts'],
    ['system.cpu.time', 's', 'counter', 'system_cpu_time_seconds_total'],
    ['system.cpu.utilization', '1', 'gauge', 'system_cpu_utilization_ratio'],
    ['system.cpu.frequency', 'Hz', 'gauge', 'system_cpu_frequency_hertz'],
    ['process.memory.usage', 'By', 'updowncounter', 'process_memory_usage_bytes'],
    ['process.thread.count', '{thread}', 'updowncounter', 'process_thread_count'],
    ['system.cpu.load_average.1m', '{thread}', 'gauge', 'system_cpu_load_average_1m'],
    ['hw.temperature', 'Cel', 'gauge', 'hw_temperature_celsius'],
    ['hw.fan.speed', 'rpm', 'gauge', 'hw_fan_speed_rpm'],
    ['network.rate', 'By/s', 'gauge', 'network_rate_bytes_per_second'],
    ['requests', '{request}/s', 'gauge', 'requests_per_second'],
    ['requests.per.second', '{request}/s', 'gauge', 'requests_per_second'],
    ['a', 'm3/x', 'gauge', 'a_m3_per_x'],
  ];
  for (const [name, unit, kind, sample] of expected) assert.equal(sampleOf(name, unit, kind), sample);
});

test('translateMetric doubles no suffix, when the name has the word already', () => {
  assert.equal(sampleOf('uptime.seconds', 's', 'gauge'), 'uptime_seconds');
  assert.equal(sampleOf('cpu.seconds.used', 's', 'gauge'), 'cpu_seconds_used');
  assert.equal(sampleOf('total.energy.total', 'J', 'counter'), 'energy_joules_total');
  assert.equal(sampleOf('hit.ratio.now', '1', 'gauge'), 'hit_now_ratio');
});

test('translateMetric adds no ratio, when a counter has the unit 1', () => {
  assert.equal(sampleOf('retries', '1', 'counter'), 'retries_total');
  assert.equal(sampleOf('retries', '1', 'updowncounter'), 'retries');
});

test('translateMetric makes names that are allowed, when signs are not', () => {
  assert.equal(sampleOf('a--b__c/d', '', 'gauge'), 'a_b_c_d');
  assert.equal(sampleOf('1st', '', 'gauge'), '_1st');
});

test('translateMetric leaves out total and names the unit, when the family of OpenMetrics is asked for', () => {
  assert.deepEqual(translateMetric({ name: 'hw.energy', unit: 'J', kind: 'counter' }), {
    sample: 'hw_energy_joules_total',
    family: 'hw_energy_joules',
    unit: 'joules',
  });
  assert.equal(translateMetric({ name: 'load', unit: '1', kind: 'gauge' }).unit, 'ratio');
  assert.equal(translateMetric({ name: 'io', unit: 'By/s', kind: 'gauge' }).unit, 'bytes_per_second');
  assert.equal(translateMetric({ name: 'cpu.seconds.used', unit: 's', kind: 'gauge' }).unit, '');
});

test('translateLabel replaces what is not allowed', () => {
  assert.equal(translateLabel('hw.id'), 'hw_id');
  assert.equal(translateLabel('1st'), 'key_1st');
  assert.equal(translateLabel('_private'), 'key_private');
  assert.equal(translateLabel('naïve'), 'na_ve');
});

test('nameFamily names what is counted, where the name would be that of a histogram', () => {
  const expected: [string, string, MetricKind, string][] = [
    ['process.thread.count', '{thread}', 'updowncounter', 'process_threads'],
    ['system.cpu.logical.count', '{cpu}', 'updowncounter', 'system_cpu_logical_cpus'],
    ['system.process.count', '{process}', 'updowncounter', 'system_processes'],
    ['perf.event.count', '{event}', 'counter', 'perf_event_count_total'],
    ['queue.count', '', 'gauge', 'queue_count'],
  ];
  for (const [name, unit, kind, sample] of expected) {
    assert.equal(nameFamily({ name, unit, kind }).sample, sample);
  }
});

test('nameFamily keeps the names of the counters of a histogram that was scraped', () => {
  for (const name of ['request_seconds_bucket', 'request_seconds_sum', 'vllm:request_seconds_count']) {
    assert.deepEqual(nameFamily({ name, unit: 's', kind: 'counter' }), {
      sample: name,
      family: name,
      unit: '',
    });
  }
  assert.equal(
    nameFamily({ name: 'request.count', unit: '', kind: 'counter' }).sample,
    'request_count_total',
  );
  assert.equal(nameFamily({ name: 'requests', unit: '', kind: 'counter' }).sample, 'requests_total');
});
