import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { findNames, findText } from '../../src/linux/sysfs.js';
import {
  ATTR_HW_ID,
  ATTR_HW_LIMIT_TYPE,
  ATTR_HW_NAME,
  ATTR_HW_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Metric } from '../../src/model/series.js';
import { hwTemperature, hwTemperatureLimit } from '../../src/model/shared-metrics.js';
import { FileGauges, parseWhole, type GaugeFile } from '../../src/scraping/file-gauges.js';
import { bounded } from '../../src/scraping/lines.js';
import {
  createSourceReceiver,
  probeSources,
  type NamedSource,
} from '../../src/scraping/scraping-receiver.js';
import { SlowFiles } from '../../src/scraping/slow-files.js';
import { schema, type Config } from './config.js';

const coolingState: Metric = {
  name: 'hw.cooling.state',
  unit: '1',
  description: 'Current state of a cooling device, from 0 to its limit',
  kind: 'gauge',
  valueType: 'int',
};
const coolingStateLimit: Metric = {
  name: 'hw.cooling.state.limit',
  unit: '1',
  description: 'Highest state of a cooling device',
  kind: 'gauge',
  valueType: 'int',
};

/** A part of `/sys/class/thermal`: its folders, and the values of each. */
interface Part {
  readonly name: string;
  readonly pattern: RegExp;
  readonly list: (folder: string, id: string) => readonly GaugeFile[];
}

function listParts({ trip_points: tripPoints, cooling_devices: coolingDevices }: Config): readonly Part[] {
  const [zone, device] = [/^thermal_zone\d+$/u, /^cooling_device\d+$/u];
  return [
    { name: 'zones', pattern: zone, list: listTemperatures },
    { name: 'trip points', pattern: zone, list: listTripPoints },
    { name: 'cooling devices', pattern: device, list: listStates },
  ].filter(({ list }) => (tripPoints || list !== listTripPoints) && (coolingDevices || list !== listStates));
}

/** The configured parts of `/sys/class/thermal`, whether or not this machine has them. */
export function listSources(config: Config, slow?: SlowFiles): readonly NamedSource[] {
  const root = `${config.sysfs}/class/thermal`;
  return listParts(config).map(({ name, pattern, list }) => ({
    name,
    describe(source) {
      const findIds = () => findNames(root).filter((id) => pattern.test(id));
      const gauges = new FileGauges(source, {
        name: `${name} of ${root}`,
        version: () => findIds().join(),
        list: () => findIds().flatMap((id) => list(`${root}/${id}`, id)),
        ...(slow && { slow }),
      });
      return function* (at) {
        return [yield* gauges.read(at)];
      };
    },
  }));
}

function listTemperatures(folder: string, id: string): readonly GaugeFile[] {
  const path = `${folder}/temp`;
  const parse = (text: string): number => checkCelsius(parseWhole(path, text) / 1000);
  return [{ metric: hwTemperature, attributes: describeZone(folder, id), path, parse }];
}

function describeZone(folder: string, id: string) {
  return {
    [ATTR_HW_TYPE]: 'temperature',
    [ATTR_HW_ID]: id,
    [ATTR_HW_NAME]: findText(`${folder}/type`) ?? id,
  };
}

/** Validates a temperature: drivers without a value report absolute zero (-273.2), or less. */
function checkCelsius(celsius: number): number {
  return celsius > -200 && celsius < 1000 ? celsius : NaN;
}

/** The semantic conventions' names for the kernel's; others are kept. */
const limitTypes: Readonly<Record<string, string>> = {
  critical: 'high.critical',
  hot: 'high.degraded',
  passive: 'throttled',
};

/** The trip points of a zone are not sorted, and several can be of the type `active`. */
function listTripPoints(folder: string, id: string): readonly GaugeFile[] {
  return findNames(folder)
    .flatMap((name) => /^trip_point_(\d+)_temp$/u.exec(name)?.[1] ?? [])
    .map((trip): GaugeFile => {
      const type = findText(`${folder}/trip_point_${trip}_type`) ?? 'unknown';
      const path = `${folder}/trip_point_${trip}_temp`;
      return {
        metric: hwTemperatureLimit,
        attributes: {
          ...describeZone(folder, id),
          [ATTR_HW_LIMIT_TYPE]: limitTypes[type] ?? type,
          'hw.temperature.trip': Number(trip),
        },
        path,
        // An unset trip point is 0 (x86_pkg_temp) or THERMAL_TEMP_INVALID, -274.
        parse: (text) => checkCelsius(parseWhole(path, text) / 1000 || NaN),
      };
    });
}

function listStates(folder: string, id: string): readonly GaugeFile[] {
  const name = findText(`${folder}/type`) ?? id;
  const attributes = { [ATTR_HW_TYPE]: 'cooling_device', [ATTR_HW_ID]: id, [ATTR_HW_NAME]: name };
  return [
    { metric: coolingState, path: `${folder}/cur_state` },
    { metric: coolingStateLimit, path: `${folder}/max_state` },
  ].map(({ metric, path }) => ({
    metric,
    attributes,
    path,
    // intel_powerclamp reports -1 while it is idle.
    parse: (text) => bounded(parseWhole(path, text), Number.MAX_SAFE_INTEGER),
  }));
}

/** Reads thermal zones, their trip points and cooling devices. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [hwTemperature, hwTemperatureLimit, coolingState, coolingStateLimit],
  probe: (config, context) => probeSources(listSources(config), context),
  create: (config, context, next) => createReceiver(config, context, next),
};

/** @param slow reads ACPI zones, which may query an embedded controller, without blocking the main thread */
export function createReceiver(
  config: Config,
  context: ReceiverContext,
  next: Consumer,
  slow = new SlowFiles(),
): Component {
  return createSourceReceiver({
    intervalMs: config.collection_interval,
    sources: listSources(config, slow),
    context,
    next,
    prepare: () => slow.prepare(),
  });
}
