import * as fc from 'fast-check';

// The same cases in every run, so that no test fails by chance; another seed by hand finds others.
fc.configureGlobal({
  seed: Number(process.env['JOULEMETRY_TEST_SEED'] ?? 1),
  ...(process.env['JOULEMETRY_TEST_RUNS'] && { numRuns: Number(process.env['JOULEMETRY_TEST_RUNS']) }),
});

/** What every test that asserts properties takes fast-check from. */
export { fc };
