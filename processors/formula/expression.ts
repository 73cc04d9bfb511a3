import jsep from 'jsep';
import { describeError } from '../../src/errors.js';

/** Computes a result from the values of the inputs, sorted by name. Allocates nothing. */
export type Evaluate = (values: Float64Array) => number;

type Node = jsep.Expression;

// Of an unknown number (NaN), every result is unknown, unlike with the operators of the language: NaN < 1 is false
// there, !NaN true and NaN ** 0 is 1.
const binary: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '**': (a, b) => (Number.isNaN(a) ? NaN : a ** b),
  '<': (a, b) => truthOf(a, b, a < b),
  '<=': (a, b) => truthOf(a, b, a <= b),
  '>': (a, b) => truthOf(a, b, a > b),
  '>=': (a, b) => truthOf(a, b, a >= b),
  '==': (a, b) => truthOf(a, b, a === b),
  '!=': (a, b) => truthOf(a, b, a !== b),
  '&&': (a, b) => (a === 0 || Number.isNaN(a) ? a : b),
  '||': (a, b) => (a === 0 ? b : a),
};

function truthOf(a: number, b: number, isTrue: boolean): number {
  return Number.isNaN(a) || Number.isNaN(b) ? NaN : Number(isTrue);
}

const unary: Readonly<Record<string, (a: number) => number>> = {
  '-': (a) => -a,
  '+': (a) => a,
  '!': (a) => truthOf(a, 0, a === 0),
};

/** By name and number of arguments; NaN: any number, but at least one. */
const functions: Readonly<Record<string, readonly [count: number, call: (...values: number[]) => number]>> = {
  abs: [1, Math.abs],
  ceil: [1, Math.ceil],
  exp: [1, Math.exp],
  floor: [1, Math.floor],
  log: [1, Math.log],
  max: [NaN, Math.max],
  min: [NaN, Math.min],
  round: [1, Math.round],
  sqrt: [1, Math.sqrt],
};

/**
 * Compiles an expression over named numbers.
 * @throws Error describing the mistake
 */
export function compileExpression(text: string, names: readonly string[]): Evaluate {
  return compile(parse(text), names);
}

function parse(text: string): Node {
  if (text.trim() === '') throw new Error('expected an expression, found none');
  try {
    return jsep(text);
  } catch (error) {
    throw new Error(`expected an expression, found "${text}": ${describeError(error)}`, { cause: error });
  }
}

function compile(node: Node, names: readonly string[]): Evaluate {
  // The type determines the fields.
  switch (node.type) {
    case 'Literal':
      return compileLiteral(node as jsep.Literal);
    case 'Identifier':
      return compileName(node as jsep.Identifier, names);
    case 'BinaryExpression':
      return compileBinary(node as jsep.BinaryExpression, names);
    case 'UnaryExpression':
      return compileUnary(node as jsep.UnaryExpression, names);
    case 'ConditionalExpression':
      return compileConditional(node as jsep.ConditionalExpression, names);
    case 'CallExpression':
      return compileCall(node as jsep.CallExpression, names);
    case 'Compound':
      throw new Error('expected one expression, found several');
    default:
      throw new Error(`expected numbers, names, operators and functions, found a ${node.type}`);
  }
}

function compileLiteral({ value, raw }: jsep.Literal): Evaluate {
  if (typeof value !== 'number') throw new Error(`expected a number, found ${raw}`);
  return () => value;
}

function compileName({ name }: jsep.Identifier, names: readonly string[]): Evaluate {
  const index = names.indexOf(name);
  if (index < 0) throw new Error(`expected one of the inputs ${names.join(', ')}, found "${name}"`);
  return (values) => values[index];
}

function compileBinary({ operator, left, right }: jsep.BinaryExpression, names: readonly string[]): Evaluate {
  const call = findOwn(binary, operator, 'an operator');
  const [first, second] = [compile(left, names), compile(right, names)];
  return (values) => call(first(values), second(values));
}

function compileUnary({ operator, argument }: jsep.UnaryExpression, names: readonly string[]): Evaluate {
  const call = findOwn(unary, operator, 'an operator');
  const operand = compile(argument, names);
  return (values) => call(operand(values));
}

function compileConditional(node: jsep.ConditionalExpression, names: readonly string[]): Evaluate {
  const [test, yes, no] = [node.test, node.consequent, node.alternate].map((part) => compile(part, names));
  return (values) => {
    const chosen = test(values);
    if (Number.isNaN(chosen)) return NaN;
    return chosen === 0 ? no(values) : yes(values);
  };
}

function compileCall(
  { callee, arguments: operands }: jsep.CallExpression,
  names: readonly string[],
): Evaluate {
  const name = callee.type === 'Identifier' ? (callee as jsep.Identifier).name : callee.type;
  const [count, call] = findOwn(functions, name, 'a function');
  if (operands.length !== count && !(Number.isNaN(count) && operands.length > 0)) {
    const expected = Number.isNaN(count) ? '1 argument or more' : `${count} argument`;
    throw new Error(`expected ${expected} of ${name}(), found ${operands.length}`);
  }
  const [first, ...others] = operands.map((operand) => compile(operand, names));
  if (others.length === 0) return (values) => call(first(values));
  return (values) => others.reduce((result, other) => call(result, other(values)), first(values));
}

function findOwn<T>(table: Readonly<Record<string, T>>, name: string, what: string): T {
  const found = Object.hasOwn(table, name) ? table[name] : undefined;
  if (found === undefined)
    throw new Error(`expected ${what} of ${Object.keys(table).join(' ')}, found "${name}"`);
  return found;
}
