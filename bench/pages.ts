import { findPorts } from './process-tree.js';

const answerWithinMs = 10_000;

/** The Prometheus pages of a process and its descendants. */
export async function findPages(pid: number): Promise<readonly string[]> {
  const urls = findPorts(pid).map((port) => `http://localhost:${port}/metrics`);
  const answers = await Promise.all(urls.map(async (url) => ({ url, text: await fetchPage(url) })));
  return answers.flatMap(({ url, text }) => (text.includes('# TYPE') ? [url] : []));
}

/** Reads a page as Prometheus does; empty on an error or a timeout. */
export async function fetchPage(url: string): Promise<string> {
  try {
    const headers = { accept: 'text/plain;version=0.0.4', 'accept-encoding': 'gzip' };
    return await (await fetch(url, { headers, signal: AbortSignal.timeout(answerWithinMs) })).text();
  } catch {
    return '';
  }
}
