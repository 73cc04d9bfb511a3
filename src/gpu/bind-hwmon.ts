import { findNames, findText } from '../linux/sysfs.js';
import { bindFile, type CardFeature } from './card-reader.js';

/** Temperatures, voltages and fans of a driver in hwmon, by channel label. */
export function bindSensors(hwmon: string): readonly CardFeature[] {
  const bind = (kind: string, column: string, divisor: number): readonly CardFeature[] =>
    findChannels(hwmon, kind).flatMap(([channel, label]) =>
      bindFile(`${column}.${label}`, `${hwmon}/${channel}_input`, divisor),
    );
  return [
    ...bind('temp', 'temperature', 1000),
    ...bind('in', 'voltage', 1000),
    ...bind('fan', 'fan_speed', 1),
  ];
}

/** The channels of a kind, with their names: the label, or else the name of the channel. */
export function findChannels(
  hwmon: string,
  kind: string,
): readonly (readonly [channel: string, label: string])[] {
  const pattern = new RegExp(String.raw`^(${kind}\d+)_input$`, 'u');
  return findNames(hwmon)
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .map((channel) => [channel, findText(`${hwmon}/${channel}_label`) ?? channel]);
}
