import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import { holdsFor, holdsForAsync, textOf } from '../testing/property.fixture.js';
import { parseComponentId } from './components.js';
import { parseEndpoint } from './endpoint.js';
import { describeDuration, parseByteSize, parseDuration } from './formats.js';
import { plainOf } from './node.js';
import { ConfigurationError, describeProblem, type Problem } from './problem.js';
import { parseConfigText } from './read-yaml.js';
import { validateService } from './service.js';
import { loadConfig } from './sources.js';
import { substitute, SubstitutionError } from './substitute.js';

const context = { env: { HOST: 'h', EMPTY: '' }, onUnset: () => {} };

/** Texts that are nearly right. */
function nearly(letters: string): fc.Arbitrary<string> {
  return fc.oneof(fc.string({ unit: 'binary' }), textOf(letters, 30));
}

test('parseDuration understands what describeDuration writes', () => {
  holdsFor(fc.integer({ min: 0, max: 2 ** 50 }), (microseconds) => {
    const ms = microseconds / 1000;
    const parsed = parseDuration(describeDuration(ms));
    assert.ok(parsed !== undefined && Math.abs(parsed - ms) <= ms * 1e-15 + 1e-9);
  });
});

test('parseDuration and parseByteSize give a number of 0 or more, or nothing, for any text', () => {
  holdsFor(nearly('0123456789.hmsnuµkKMGiB -'), (text) => {
    for (const value of [parseDuration(text), parseByteSize(text)]) {
      assert.ok(value === undefined || value >= 0, `${value}`);
    }
  });
});

test('parseByteSize gives back every number of bytes', () => {
  const units = { '': 1, B: 1, kB: 1000, KiB: 1024, MiB: 2 ** 20, GiB: 2 ** 30 } as const;
  const size = fc.tuple(fc.nat(2 ** 20), fc.constantFrom(...Object.entries(units)));
  holdsFor(size, ([count, [unit, factor]]) => {
    assert.equal(parseByteSize(`${count}${unit}`), count * factor);
  });
});

test('parseEndpoint gives back host and port', () => {
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.constant(''));
  holdsFor(fc.tuple(host, fc.nat(65_535)), ([name, port]) => {
    assert.deepEqual(parseEndpoint(`${name}:${port}`), { host: name, port });
  });
  holdsFor(fc.tuple(fc.ipV6(), fc.nat(65_535)), ([address, port]) => {
    assert.deepEqual(parseEndpoint(`[${address}]:${port}`), { host: address, port });
  });
});

test('parseEndpoint and parseComponentId understand any text or say what they want', () => {
  holdsFor(nearly('abz019.:[]/- _'), (text) => {
    try {
      const { port } = parseEndpoint(text);
      assert.ok(port >= 0 && port <= 65_535);
    } catch (error) {
      assert.match(String(error), /^Error: Cannot parse endpoint: expected /u);
    }
    try {
      assert.match(parseComponentId(text).type, /^\w+$/u);
    } catch (error) {
      assert.match(String(error), /^Error: expected a component (?:type|name) of .*, found ".*"$/su);
    }
  });
});

test('substitute leaves a text alone whose dollar signs are doubled', () => {
  holdsFor(nearly('${}:-env'), (text) => {
    assert.equal(substitute(text.replaceAll('$', '$$$$'), context).text, text);
  });
});

test('substitute replaces a reference wherever it stands', () => {
  const text = fc.string({ unit: 'binary' }).map((any) => any.replaceAll('$', '_'));
  holdsFor(fc.tuple(text, text), ([before, after]) => {
    assert.equal(substitute(`${before}\${env:HOST}${after}`, context).text, `${before}h${after}`);
  });
});

test('substitute understands any text or reports why not', () => {
  holdsFor(nearly('${}:-envHOST /file'), (text) => {
    try {
      assert.equal(typeof substitute(text, context).text, 'string');
    } catch (error) {
      assert.ok(error instanceof SubstitutionError, String(error));
    }
  });
});

/** What a configuration may hold. No dollar signs, which mean something. */
const plain = fc.letrec((tie) => ({
  text: fc.string().map((text) => text.replaceAll('$', '_')),
  leaf: fc.oneof(tie('text'), fc.integer(), fc.boolean(), fc.constant(null)),
  list: fc.array(tie('value'), { maxLength: 4 }),
  map: fc.dictionary(
    fc.string({ minLength: 1 }).filter((key) => key !== '__proto__' && key !== '<<'),
    tie('value'),
    { maxKeys: 4, noNullPrototype: true },
  ),
  value: fc.oneof({ maxDepth: 3 }, tie('leaf'), tie('list'), tie('map')),
})).map;

test('parseConfigText gives back what YAML or JSON says', () => {
  holdsFor(plain, (value) => {
    for (const text of [stringify(value), JSON.stringify(value)]) {
      const problems: Problem[] = [];
      const node = parseConfigText(text, 'c.yaml', context, problems);
      assert.deepEqual(problems.map(describeProblem), []);
      assert.deepEqual({ ...(plainOf(node) as object) }, { ...(value as object) });
    }
  });
});

const yamlText = nearly('a:b - \n\t{}[],"\'&*!|>%@`#?$<~0é');

test('parseConfigText understands any text or names the place of what is wrong', () => {
  holdsFor(yamlText, (text) => {
    const problems: Problem[] = [];
    parseConfigText(text, 'c.yaml', context, problems);
    for (const { origin } of problems) {
      assert.equal(origin?.source, 'c.yaml');
      assert.ok(origin.line === undefined || origin.line >= 1);
    }
  });
});

test('validateService understands any configuration or names what is wrong', async () => {
  const finder = {
    find: () => Promise.resolve(undefined),
    list: () => [],
    findReplacement: () => undefined,
    describeSearch: () => '',
  };
  const sections = nearly('receivers:\n {}[]service pipelines/x').map((text) => `receivers: ${text}`);
  await holdsForAsync(fc.oneof(yamlText, sections), async (text) => {
    const problems: Problem[] = [];
    const node = parseConfigText(text, 'c.yaml', context, problems);
    if (problems.length > 0) return;
    await assert.rejects(validateService(node, finder), ConfigurationError);
  });
});

test('--set sets what it names, and any other text is a ConfigurationError', () => {
  const key = fc.stringMatching(/^[a-z_/0-9]{1,8}$/u);
  holdsFor(fc.tuple(fc.array(key, { minLength: 1, maxLength: 4 }), fc.integer()), ([keys, value]) => {
    const wanted = keys.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
    for (const separator of ['.', '::']) {
      if (separator === '::' && keys.length === 1) continue;
      const settings = [`${keys.join(separator)}=${value}`];
      assert.deepEqual(plainOf(loadConfig({ files: [], settings, context })), wanted);
    }
  });
  holdsFor(nearly('a.:=b{}[]$,"\' \n'), (text) => {
    try {
      loadConfig({ files: [], settings: [text], context });
    } catch (error) {
      assert.ok(error instanceof ConfigurationError, String(error));
    }
  });
});
