import { acceptsGzip, chooseFormat } from '../../exporters/prometheus/negotiation.js';
import { parseProcessContext } from '../../src/identity/process-context.js';
import { parseResourceAttributes } from '../../src/identity/resource-attributes.js';
import { parseRetryDelayMs } from '../../src/otlp/delegate-client.js';
import { parseExportResponse } from '../../src/otlp/export-response.js';
import { readFields } from '../../src/protobuf.js';
import { parsePage } from './prometheus-pages.js';
import { texts, type Target } from './target.js';

const response = Buffer.from('0a0b0803120764726f70706564', 'hex');

/** Requests and answers of other programs. */
export const networkTargets: readonly Target[] = [
  {
    name: 'pages of Prometheus',
    examples: texts(
      '# HELP a b\n# TYPE a counter\na{x="1",y="\\n"} 1 1500\n{"b.c","d e"="f"} -2.5e-3\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 3\nh_sum NaN\nh_count 3\n',
      'target_info{a="b"} 1\nprocess_start_time_seconds 1.7e9\na 12345678901234567890\na 2\n',
    ),
    parse: (input) => parsePage(input, 'classic'),
  },
  {
    name: 'pages of OpenMetrics',
    examples: texts(
      '# TYPE a counter\n# UNIT a seconds\na_total{x="1"} 1 1500.5 # {t="1"} 0.5 1\na_created{x="1"} 0.25\n# EOF\n',
    ),
    parse: (input) => parsePage(input, 'openmetrics'),
  },
  {
    name: 'process contexts',
    examples: [Buffer.from('0a1a0a180a0c736572766963652e6e616d6512080a06636865636b6f', 'hex')],
    parse: (input) => parseProcessContext(input),
  },
  {
    name: 'OTEL_RESOURCE_ATTRIBUTES',
    examples: texts('service.name=a%2Cb, team = x,eq=1=2,'),
    mayThrow: [RangeError],
    parse: (input) => parseResourceAttributes(input.toString()),
  },
  {
    name: 'OTLP responses',
    examples: [response, Buffer.from('1a2f0a28747970652e676f6f676c65617069732e636f6d', 'hex')],
    mayThrow: [RangeError],
    parse(input) {
      readFields(input);
      parseExportResponse(input);
      return parseRetryDelayMs(input);
    },
  },
  {
    name: 'Accept headers',
    examples: texts(
      'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1',
      'br, gzip;q=0',
    ),
    parse: (input) => [chooseFormat(input.toString()), acceptsGzip(input.toString())],
  },
];
