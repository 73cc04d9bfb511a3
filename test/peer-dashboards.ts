// Queries that the published dashboards of other tools send to Prometheus.

/**
 * Kepler 0.11, compose/default/grafana/dashboards/latest/dashboard.json (13944a69): every expression, including
 * the queries of variables.
 */
export const keplerDashboard = [
  'count by (instance, model_name)(kepler_node_cpu_info{job="$job"})',
  'group by (node_name,zone)(kepler_node_cpu_watts{job="$job"})',
  'kepler_container_cpu_watts{job="$job", zone=~"$zone",container_name=~"$container"}',
  'kepler_node_cpu_active_watts{job="$job", instance=~"$node", zone=~"$zone"}',
  'kepler_node_cpu_idle_watts{job="$job", instance=~"$node", zone=~"$zone"}',
  'kepler_node_cpu_watts{job="$job", instance=~"$node", zone=~"$zone"}',
  'kepler_pod_cpu_watts{job="$job",pod_namespace=~"$namespace", zone=~"$zone",pod_name=~"$pod"}',
  'kepler_process_cpu_watts{job="$job", zone=~"$zone",pid="${process}"}',
  'kepler_vm_cpu_watts{job="$job", zone=~"$zone",vm_name=~"$vm"}',
  'label_values(kepler_container_cpu_watts,container_name)',
  'label_values(kepler_node_cpu_info{job="$job"}, instance)',
  'label_values(kepler_node_cpu_watts,job)',
  'label_values(kepler_node_cpu_watts{job="$job"}, zone)',
  'label_values(kepler_pod_cpu_watts{job="$job", pod_namespace=~"$namespace"},pod_name)',
  'label_values(kepler_pod_cpu_watts{job="$job"}, pod_namespace)',
  'label_values(kepler_vm_cpu_watts{job="$job"}, vm_name)',
  'query_result(label_join( count by (pid, comm) (kepler_process_cpu_watts{job="$job"}), "process", " | ", "comm", "pid" ))',
  'sum by (zone) (kepler_container_cpu_watts{job="$job", zone=~"$zone"})',
  'sum by (zone) (kepler_node_cpu_active_watts{job="$job", zone=~"$zone"})',
  'sum by (zone) (kepler_node_cpu_idle_watts{job="$job", zone=~"$zone"})',
  'sum by (zone) (kepler_node_cpu_watts{job="$job", zone=~"$zone"})',
  'sum by (zone) (kepler_pod_cpu_watts{job="$job", zone=~"$zone", pod_namespace=~"$namespace"})',
  'sum by (zone) (kepler_process_cpu_watts{job="$job", zone=~"$zone"})',
  'sum by (zone) (kepler_vm_cpu_watts{job="$job", zone=~"$zone"})',
  'topk(10,sum by (comm,zone)(kepler_process_cpu_watts{job="$job", zone=~"$zone"}))',
  'topk(10,sum by (container_name,zone)(kepler_container_cpu_watts{job="$job", zone=~"$zone"}))',
  'topk(10,sum by (pod_namespace,zone)(kepler_pod_cpu_watts{job="$job", zone=~"$zone"}))',
  'topk(10,sum by (vm_name,zone)(kepler_vm_cpu_watts{job="$job", zone=~"$zone"}))',
  // Of the dashboard for developers, compose/dev/grafana/dashboards/dev/dashboard.json: the counters.
  'rate(kepler_node_cpu_joules_total{job="${job}", zone="${zone}"}[20s])',
  'rate(kepler_node_cpu_active_joules_total{job="${job}", zone="${zone}"}[20s])',
  'rate(kepler_node_cpu_idle_joules_total{job="${job}", zone="${zone}"}[20s])',
  'sum(rate(kepler_process_cpu_joules_total{job="${job}", container_id!="", zone="${zone}"}[20s]))',
  'sum(rate(kepler_process_cpu_joules_total{pid="$pid", job="$job", zone="${zone}"}[20s]))',
  'sum(rate(kepler_container_cpu_joules_total{job="${job}", zone="${zone}"}[20s]))',
];

/**
 * Scaphandre 1.0, docker-compose/dashboards/sample-dashboard.json, docker-compose/grafana/sample-dashboard.json and
 * docs_src/tutorials/grafana-kubernetes-dashboard.json (04cc6ec9): every expression whose metric has a source here.
 */
export const scaphandreDashboards = [
  'scaph_domain_power_microwatts / 1000000',
  'scaph_host_load_avg_fifteen',
  'scaph_host_load_avg_five',
  'scaph_host_load_avg_one',
  'scaph_host_power_microwatts / 1000000',
  'scaph_process_cpu_usage_percentage{cmdline=~".*${process_filter}.*"}',
  'scaph_process_memory_bytes{cmdline=~".*${process_filter}.*"}',
  'scaph_process_memory_virtual_bytes{cmdline=~".*${process_filter}.*"}',
  'scaph_process_power_consumption_microwatts{cmdline=~".*${process_filter}.*"}/1000000',
  'scaph_self_memory_bytes',
  'scaph_self_memory_virtual_bytes',
  'scaph_socket_power_microwatts / 1000000',
  'sum(avg_over_time(scaph_host_power_microwatts[1h]))/1000000',
  'sum(scaph_domain_power_microwatts) / 1000000',
  'sum(scaph_process_power_consumption_microwatts) / 1000000',
  'scaph_process_power_consumption_microwatts / 1000000 > 0.01',
  'scaph_process_power_consumption_microwatts{exe="dockerd"} / 1000000',
  // Of Kepler's dashboard compose/dev/grafana/dashboards/dev/power-source-comparison.json.
  'sum(rate(scaph_host_energy_microjoules[$__rate_interval]))/10^6',
  'scaph_process_power_consumption_microwatts{exe=~"etcd|kube-apiserver|kube-controller|kube-proxy|kube-scheduler|kubelet"} / 1000000',
];
