import type { Calibration, Estimate } from '../../energy/calibration.js';
import { meanOf } from '../../energy/statistics.js';
import { describeMeter, type CalibrationResult, type Phase } from './run-phases.js';

/** The results for people: each phase, then the conclusions. */
export function createCalibrationReport({ meter, phases, calibration }: CalibrationResult): string {
  const rows = [['Phase', 'Sensors (W)', 'Meter (W)', 'Beyond (W)', 'Points'], ...phases.map(describePhase)];
  const nameWidth = Math.max(...rows.map(([name = '']) => name.length));
  const table = rows.map(([name = '', ...cells]) =>
    [name.padEnd(nameWidth), ...cells.map((cell) => cell.padStart(12))].join(''),
  );
  const refresh = Math.max(...phases.map(({ refreshSeconds }) => refreshSeconds));
  const lines = [
    `Meter:   ${describeMeter(meter)}${refresh > 0 ? `, changes every ${refresh.toPrecision(2)} s` : ''}`,
    `Sensors: ${calibration.sensors.join(', ')}`,
    '',
    ...table,
    '',
    ...describeLine(calibration),
  ];
  return `${lines.join('\n')}\n`;
}

function describePhase({ name, pairs }: Phase): readonly string[] {
  const sensors = meanOf(pairs.map((pair) => pair.sensors));
  const meter = meanOf(pairs.map((pair) => pair.meter));
  return [name, sensors.toFixed(2), meter.toFixed(2), (meter - sensors).toFixed(2), String(pairs.length)];
}

function describeLine(calibration: Calibration): readonly string[] {
  const { offset, gain, curve, deviation, idleRemainder, points } = calibration;
  return [
    `Offset:  ${describeEstimate(offset, 2)} W, what the meter would show where the sensors show nothing`,
    `Gain:    ${describeEstimate(gain, 4)} W of the meter for each watt of the sensors`,
    `Idle:    ${idleRemainder.toFixed(2)} W beyond the sensors`,
    `Curve:   ${curve === undefined ? 'none at 95 % confidence' : describeCurve(curve)}`,
    `Deviation of a point from the line: ${deviation.toFixed(2)} W (${points} points; +- is a 95 % interval)`,
  ];
}

function describeCurve([constant, linear, square]: readonly Estimate[]): string {
  const parts = [constant, linear, square].map((one) => (one ? describeEstimate(one, 6) : ''));
  return `(${parts[0]}) + (${parts[1]}) P + (${parts[2]}) P^2, P watts of the sensors`;
}

function describeEstimate({ value, halfWidth }: Estimate, digits: number): string {
  return `${value.toFixed(digits)} +- ${halfWidth.toFixed(digits)}`;
}
