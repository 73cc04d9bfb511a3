import { fc } from './fixed-seed.fixture.js';

const numRuns = Number(process.env['JOULEMETRY_TEST_RUNS'] ?? 200);

/** Asserts that a predicate holds for what an arbitrary makes. */
export function holdsFor<T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, predicate), { numRuns });
}

/** The same for what needs to be waited for. */
export async function holdsForAsync<T>(
  arbitrary: fc.Arbitrary<T>,
  predicate: (value: T) => Promise<void>,
): Promise<void> {
  await fc.assert(fc.asyncProperty(arbitrary, predicate), { numRuns });
}

/** Texts made of these letters: nearly what a parser wants. */
export function textOf(letters: string, maxLength: number): fc.Arbitrary<string> {
  return fc.array(fc.constantFrom(...letters.split('')), { maxLength }).map((chosen) => chosen.join(''));
}

/** Bytes at random, and bytes that look like what a file of the kernel holds. */
export const fileBytes: fc.Arbitrary<Buffer> = fc
  .oneof(
    fc.uint8Array({ maxLength: 300 }),
    textOf(' \n:()-0123456789cpu,/abZRS.', 300).map((text) => Buffer.from(text)),
  )
  .map((bytes) => Buffer.from(bytes));
