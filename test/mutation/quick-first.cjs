const { default: Sequencer } = require('@jest/test-sequencer');

/** Tests that settle whole epochs; whatever the others kill has not to wait for them. */
const SLOW = /(settlement|pinned|settled-rewards)\.test\.ts$/;

module.exports = class QuickFirst extends Sequencer {
  sort(tests) {
    return [...tests].sort(
      (left, right) => SLOW.test(left.path) - SLOW.test(right.path) || (left.path < right.path ? -1 : 1),
    );
  }
};
