import { hostname } from 'node:os';
import type { ComponentStatus } from '../../src/component/agent-control.js';
import { escapeControls } from '../../src/component/output.js';
import { describeDuration } from '../../src/config/formats.js';
import { readVersion } from '../../src/version.js';
import { isHealthy, type Observation } from './health.js';

/** The page is self-contained and runs no script. */
export const pageHeaders = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
} as const;

const style = `
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.3rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .25rem 0; }
ul { list-style: none; margin: 0; padding: 0; }
li { border-top: 1px solid #8886; display: grid; gap: 0 1rem; padding: .4rem 0;
  grid-template-columns: minmax(0, 1fr) 6rem 9rem 9rem; }
li > * { overflow-wrap: anywhere; }
.figure { font-variant-numeric: tabular-nums; text-align: right; }
.note { color: #777; grid-column: 1 / -1; font-size: .9rem; }
.error { color: #b3261e; }
.state::before { content: "\\25CF\\00A0"; color: #2e7d32; }
.failed::before, .starting::before { color: #b3261e; }
.paused::before { color: #b26a00; }
.disabled::before, .stopped::before { color: #8888; }
small { color: #777; }
@media (max-width: 40rem) {
  li { grid-template-columns: 1fr auto; }
  .interval:empty { display: none; }
  .figure { text-align: left; }
}
@media (prefers-color-scheme: dark) { .error { color: #f2877f; } }
`;

/** The collector's state for people: an HTML page that reloads every 10 seconds. */
export function renderStatusPage(observation: Observation): string {
  const { isReady, upSince, now, components } = observation;
  const name = hostname();
  const pipelines = [...new Set(components.flatMap((one) => one.pipelines))];
  const lists = pipelines.map((pipeline) =>
    renderList(
      `Pipeline ${pipeline}`,
      components.filter((one) => one.pipelines.includes(pipeline)),
    ),
  );
  const extensions = components.filter(({ kind }) => kind === 'extension');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10">
<title>${escapeHtml(`Joulemetry on ${name}`)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(`Joulemetry on ${name}`)}</h1>
<p class="state ${isHealthy(observation) ? 'running' : 'failed'}">${describeHealth(observation, isReady)}</p>
<p><small>${escapeHtml(`Version ${readVersion()}, up since ${formatTime(upSince)}, ${formatTime(now)} now`)}</small></p>
${lists.join('\n')}
${extensions.length > 0 ? renderList('Extensions', extensions) : ''}
</body>
</html>
`;
}

function describeHealth(observation: Observation, isReady: boolean): string {
  if (observation.isStopping) return 'Shutting down';
  if (!isReady) return 'Not all pipelines run';
  const failing = observation.components.filter(({ state }) => state === 'failed');
  const names = failing.map(({ kind, id }) => `${kind} ${id}`).join(', ');
  return names === '' ? 'All pipelines run' : escapeHtml(`All pipelines run; failing: ${names}`);
}

function renderList(title: string, components: readonly ComponentStatus[]): string {
  const items = components.map((one) => renderComponent(one));
  return `<h2>${escapeHtml(title)}</h2>\n<ul>\n${items.join('\n')}\n</ul>`;
}

function renderComponent(one: ComponentStatus): string {
  const { kind, id, state, intervalsMs = {}, lastError } = one;
  const intervals = Object.values(intervalsMs).map((ms) => `every ${describeDuration(ms)}`);
  return `<li><span>${escapeHtml(id)} <small>${kind}</small></span>
<span class="state ${state}">${state}</span>
<span class="interval">${escapeHtml(intervals.join(', '))}</span>
<span class="figure">${kind === 'extension' ? '' : escapeHtml(describePoints(one))}</span>
${lastError === undefined ? '' : `<span class="note ${state === 'failed' ? 'error' : ''}">${formatTime(lastError.at)} ${escapeHtml(lastError.message)}</span>`}</li>`;
}

function describePoints({ acceptedPoints, refusedPoints }: ComponentStatus): string {
  const points = `${acceptedPoints.toLocaleString('en')} points`;
  return refusedPoints === 0 ? points : `${points}, ${refusedPoints.toLocaleString('en')} refused`;
}

/** To the second, in the collector's time zone. */
function formatTime(time: Date): string {
  return time
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/u, ' UTC');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for an element, on one line. */
function escapeHtml(text: string): string {
  return escapeControls(text).replaceAll(/[&<>"']/gu, (character) => entities[character] ?? character);
}
