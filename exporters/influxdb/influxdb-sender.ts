import type { Log } from '../../src/component/log.js';
import type { HttpAnswer } from '../../src/export/http-answers.js';
import { openHttpSender } from '../../src/export/http-sender.js';
import type { Delivery, Sender } from '../../src/export/request-delivery.js';
import { createCompression } from '../../src/http/compression.js';
import { cleanText } from '../../src/http/connection-error.js';
import { createWriteUrl, type Config } from './config.js';

/**
 * Opens a sender to InfluxDB.
 * @throws Error naming the file or variable that cannot be used
 */
export function openInfluxdbSender(config: Config, log: Log): Sender {
  return openHttpSender(
    config,
    {
      url: createWriteUrl(config),
      contentType: 'text/plain; charset=utf-8',
      compression: createCompression(config),
      // All versions know this scheme, Bearer only the newer ones.
      tokenScheme: 'Token',
      checkRefusal: (answer, { points }) => readPartialWrite(answer, points),
    },
    log,
  );
}

/** InfluxDB answers 400 or 422 when it cannot write some lines of a request, but writes the others. */
export function readPartialWrite({ body }: Pick<HttpAnswer, 'body'>, points: number): Delivery | undefined {
  const text = body.toString();
  if (!text.includes('partial write')) return undefined;
  const dropped = Number(/dropped=(\d+)/u.exec(text)?.[1] ?? text.match(/"line_number"/gu)?.length);
  if (!(dropped > 0 && dropped < points)) return undefined;
  return { rejectedPoints: dropped, message: cleanText(text) };
}
