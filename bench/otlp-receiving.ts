import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { factory } from '../receivers/otlp/factory.js';
import { Intake } from '../receivers/otlp/intake.js';
import type { Consumer } from '../src/component/consumer.js';
import { createFakeContext, createLogCollector } from '../src/component/fakes.js';
import { parseSettings } from '../src/config/settings.js';
import { countPoints } from '../src/model/table.js';
import { median } from './benchmark.js';
import { createRequests, type SentLoad } from './otlp-load.js';

const rounds = 7;
const requestsPerRound = 64;

/** @param args `PROTOCOL LOAD COMPRESSION` or `decode LOAD`; @returns points per second of CPU time */
export async function measureReceiver(args: readonly string[]): Promise<number> {
  // The benchmark passes these.
  const [protocol, load, compression] = args as [Way['protocol'] | 'decode', SentLoad, Way['compression']];
  return protocol === 'decode' ? measureDecoding(load) : measureServer({ load, protocol, compression });
}

/** Accepts and counts all tables. */
class Sink implements Consumer {
  points = 0;

  consume(table: Parameters<Consumer['consume']>[0]): boolean {
    this.points += countPoints(table);
    return true;
  }
}

/**
 * Points per second of CPU time: the median of the second half of the rounds, since the first half warms up the
 * compiler.
 */
async function measureRates(receive: () => Promise<number>): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < 2 * rounds; round += 1) {
    const before = process.cpuUsage();
    const points = await receive();
    const { user, system } = process.cpuUsage(before);
    if (round >= rounds) rates.push(points / ((user + system) / 1e6));
  }
  return median(rates);
}

async function measureDecoding(load: SentLoad): Promise<number> {
  const sink = new Sink();
  const intake = new Intake({ maxSeries: 100_000, expiryMs: 300_000 }, createFakeContext(), sink);
  const source = createRequests(load);
  const prepare = () => Array.from({ length: requestsPerRound }, () => source.next().value.bytes);
  let requests = prepare();
  const rates: number[] = [];
  for (let round = 0; round < 2 * rounds; round += 1) {
    sink.points = 0;
    const before = process.cpuUsage();
    for (const bytes of requests) await intake.take(bytes);
    const { user, system } = process.cpuUsage(before);
    if (round >= rounds) rates.push(sink.points / ((user + system) / 1e6));
    requests = prepare();
  }
  return median(rates);
}

interface Way {
  readonly load: SentLoad;
  readonly protocol: 'grpc' | 'http';
  readonly compression: 'none' | 'gzip';
}

async function measureServer({ load, protocol, compression }: Way): Promise<number> {
  const log = createLogCollector();
  const sink = new Sink();
  const config = parseSettings(factory.schema, { protocols: { [protocol]: { endpoint: 'localhost:0' } } });
  const receiver = factory.create(config, createFakeContext({ log }), sink);
  await receiver.start();
  const port = /:(\d+)$/u.exec(log.lines[0] ?? '')?.[1] ?? '';
  const program = fileURLToPath(new URL('./otlp-sender.js', import.meta.url));
  const child = spawn(process.execPath, [program, protocol, port, load, compression], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(() => ['']);
  try {
    return await measureRates(async () => {
      sink.points = 0;
      child.stdin.write(`${requestsPerRound}\n`);
      const [sent] = (await Promise.race([once(lines, 'line'), ended])) as [string]; // what it prints
      if (Number(sent) !== sink.points)
        throw new Error(`Cannot measure: expected ${sent} points, found ${sink.points}`);
      return sink.points;
    });
  } finally {
    child.kill();
    await receiver.shutdown();
  }
}
