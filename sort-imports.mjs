// A plugin of Prettier that sorts imports: modules of Node, then packages, then files, each by name, and the names in
// braces: values, then types. Plain JavaScript without dependencies, as Prettier reads it from the source.
import { parsers as babel } from 'prettier/plugins/babel';
import { parsers as typescript } from 'prettier/plugins/typescript';

const statement = /import\s[\w$*{}\s,]+?\sfrom\s+'[^'\n]+';\n/y;
/** An import without a name runs code, at its place. */
const barrier = /\s+|\/\/.*\n|\/\*[^]*?\*\/|#!.*\n|import\s+'[^'\n]+';\n/y;

/** @returns the text of a module with its imports sorted; those with something else between them apart */
function sortImports(text) {
  let sorted = '';
  let at = 0;
  for (;;) {
    const imports = [...takeAll(statement)];
    sorted += imports.toSorted(compare).map(sortNames).join('');
    const [other] = takeOne(barrier);
    if (other === undefined && imports.length === 0) return sorted + text.slice(at);
    sorted += other ?? '';
  }

  function* takeAll(pattern) {
    for (let [found] = takeOne(pattern); found !== undefined; [found] = takeOne(pattern)) yield found;
  }

  function takeOne(pattern) {
    pattern.lastIndex = at;
    const found = pattern.exec(text) ?? [];
    if (found.length > 0) at = pattern.lastIndex;
    return found;
  }
}

function compare(one, other) {
  return keyOf(one) < keyOf(other) ? -1 : 1;
}

/** `../` comes before `./`, and a file before those in a folder of its name. */
function keyOf(declaration) {
  const [, from] = /'([^']+)'/u.exec(declaration);
  return (from.startsWith('node:') ? 0 : from.startsWith('.') ? 2 : 1) + from.replace(/\.js$/u, '');
}

function sortNames(declaration) {
  return declaration.replace(/\{([^}]*)\}/u, (_, list) => {
    const names = list
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    return `{ ${names.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1)).join(', ')} }`;
  });
}

/** Types come after values. */
function nameOf(name) {
  return (name.startsWith('type ') ? `~${name.slice(5)}` : name).toLowerCase();
}

const sorting = (parser) => ({ ...parser, preprocess: sortImports });
export const parsers = { typescript: sorting(typescript.typescript), babel: sorting(babel.babel) };
