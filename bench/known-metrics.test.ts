import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCharge, findMachineJoules, findMissed } from './known-metrics.js';

const kepler = `# TYPE kepler_node_cpu_joules_total counter
kepler_node_cpu_joules_total{node_name="a",path="/sys/x",zone="package"} 12.5
kepler_node_cpu_joules_total{node_name="a",path="/sys/y",zone="dram"} 3
kepler_process_cpu_joules_total{comm="b",pid="7",state="running",zone="package"} 2.5
kepler_process_cpu_joules_total{comm="b",pid="77",state="running",zone="package"} 9
`;

const scaphandre = `scaph_host_energy_microjoules 224476160
scaph_process_power_consumption_microwatts{exe="b",pid="7"} 1500000
`;

const own = `hw_energy_joules_total{hw_id="package-0",hw_type="cpu"} 20.5 1700000000000
hw_energy_joules_total{hw_id="package-1",hw_type="cpu"} 10 1700000000000
process_energy_joules_total{process_pid="7",process_command="b",hw_type="cpu"} 1.5
process_energy_joules_total{process_pid="7",process_command="b",hw_type="memory"} 1
joulemetry_scrape_missed_total{receiver="host"} 1
joulemetry_sampler_missed_ticks_total{sampler="rapl"} 3
`;

test('findMachineJoules sums what an agent reports of the meter, including the RAPL zone that is the meter', () => {
  assert.deepEqual([kepler, scaphandre, own].map(findMachineJoules), [12.5, 224.47616, 30.5]);
  assert.equal(findMachineJoules('up 1\n'), undefined);
});

test('findCharge finds the joules or the watts of one process', () => {
  assert.deepEqual(
    [kepler, scaphandre, own].map((page) => findCharge(page, 7)),
    [{ joules: 2.5 }, { watts: 1.5 }, { joules: 2.5 }],
  );
  assert.equal(findCharge(kepler, 8), undefined);
});

test('findMissed sums the counters of what was missed, and returns undefined without such a counter', () => {
  assert.equal(findMissed(own), 4);
  assert.equal(findMissed(kepler), undefined);
});
