import * as fc from 'fast-check';

// The same cases in every run, so that no test fails at random; other seeds can be tried by hand.
fc.configureGlobal({
  seed: Number(process.env['JOULEMETRY_TEST_SEED'] ?? 1),
  ...(process.env['JOULEMETRY_TEST_RUNS'] && { numRuns: Number(process.env['JOULEMETRY_TEST_RUNS']) }),
});

/** All property tests import fast-check from here. */
export { fc };
