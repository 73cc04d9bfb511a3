import { fc } from './fixed-seed.fixture.js';

const numRuns = Number(process.env['JOULEMETRY_TEST_RUNS'] ?? 200);

/** Asserts that a predicate holds for the values of an arbitrary. */
export function holdsFor<T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, predicate), { numRuns });
}

/** The same for asynchronous predicates. */
export async function holdsForAsync<T>(
  arbitrary: fc.Arbitrary<T>,
  predicate: (value: T) => Promise<void>,
): Promise<void> {
  await fc.assert(fc.asyncProperty(arbitrary, predicate), { numRuns });
}

/** Texts of these characters: almost valid input for a parser. */
export function textOf(letters: string, maxLength: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...letters.split('')), { maxLength }).map((chosen) => chosen.join(''));
}

/** Random bytes, and bytes that resemble a kernel file. */
export const fileBytes: fc.Arbitrary<Buffer> = fc
  .oneof(
    fc.uint8Array({ maxLength: 300 }),
    textOf(' \n:()-0123456789cpu,/abZRS.', 300).map((text) => Buffer.from(text)),
  )
  .map((bytes) => Buffer.from(bytes));
