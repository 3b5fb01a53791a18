const { TestEnvironment } = require('jest-environment-node');

/** A mutant is dead once one test has failed: the tests after that are skipped, within a file too. */
module.exports = class UntilOneFails extends TestEnvironment {
  failed = false;

  handleTestEvent(event) {
    if (event.name === 'test_start' && this.failed) event.test.mode = 'skip';
    if (event.name === 'test_done' && event.test.errors.length > 0) this.failed = true;
  }
};
