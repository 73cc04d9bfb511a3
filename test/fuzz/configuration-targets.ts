import { ConfigurationError, type Problem } from '../../src/config/problem.js';
import { parseConfigText } from '../../src/config/read-yaml.js';
import { validateService } from '../../src/config/service.js';
import { substitute } from '../../src/config/substitute.js';
import { texts, type Target } from './target.js';

const context = { env: { HOST: 'h', EMPTY: '' }, onUnset: () => {} };
const finder = {
  find: () => Promise.resolve(undefined),
  list: () => [],
  findReplacement: () => undefined,
  describeSearch: () => '',
};

const configuration = `receivers:
  rapl: &a {collection_interval: 1s}
  rapl/b: {<<: *a, host: "\${env:HOST:-x}"}
exporters: {file: {path: /x}}
service:
  pipelines: {metrics: {receivers: [rapl], exporters: [file]}}
`;

/** Input from users. */
export const configurationTargets: readonly Target[] = [
  {
    name: 'configuration',
    examples: texts(configuration, 'a: [1, {b: c}]\n', '{"a": "b\\n"}'),
    async parse(input) {
      const problems: Problem[] = [];
      const node = parseConfigText(input.toString(), 'c.yaml', context, problems);
      if (problems.length > 0) throw new ConfigurationError(problems);
      await validateService(node, finder);
    },
  },
  {
    name: 'substitution',
    examples: texts('a ${env:HOST} b', '${HOST:-x}$$ ${env:EMPTY}'),
    parse: (input) => substitute(input.toString(), context),
  },
];
