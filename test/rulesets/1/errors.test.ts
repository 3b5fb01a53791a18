import { PolicyError, RulesetError } from '../../../src/rulesets/1/errors';

test('an error of the arithmetic says what, where and what to do', () => {
  const error = new RulesetError('unknown-market', { what: 'It is so.', where: 'here', todo: 'that.' });
  expect(error).toMatchObject({
    name: 'RulesetError',
    id: 'unknown-market',
    message: 'It is so. Where: here. To do: that.',
  });
});

test('a policy that is refused lists every defect at its path', () => {
  const one = new PolicyError([{ path: '', message: 'is no group of keys' }]);
  const two = new PolicyError([
    { path: 'a.b', message: 'is missing' },
    { path: 'c', message: 'is unknown' },
  ]);
  const end = 'Correct the keys named above; docs/spec.md §2 says what each may be.';
  expect(one).toMatchObject({ name: 'PolicyError', id: 'invalid-policy' });
  expect(one.message).toBe(`The policy has one defect:\n  (document): is no group of keys\n${end}`);
  expect(two.message).toBe(`The policy has 2 defects:\n  a.b: is missing\n  c: is unknown\n${end}`);
});
