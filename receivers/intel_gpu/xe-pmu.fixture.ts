/** For tests: xe's PMU by its documentation, with the formats of the kernel and without events. */
export const xePmu = {
  type: '1\n',
  cpumask: '0\n',
  'format/event': 'config:0-11\n',
  'format/engine_instance': 'config:12-19\n',
  'format/engine_class': 'config:20-27\n',
  'format/gt': 'config:60-63\n',
};
