import { CommanderError } from 'commander';
import { failureOf, Interrupted, UsageError } from '../../src/cli/errors';
import { EXIT } from '../../src/cli/exit-codes';
import { CommandError } from '../../src/commands/errors';
import { ExportError } from '../../src/exports/errors';
import { BundleError } from '../../src/inputs/refusals';
import { HomeInUse, StackError } from '../../src/stack/errors';
import { isDatabaseRefusal, StoreError } from '../../src/store/errors';

const account = { what: 'What.', where: 'where', todo: 'what to do.' };

describe('failureOf', () => {
  it.each([
    ['a wrong call', new UsageError('--a needs --b'), EXIT.usage],
    ['an unknown option', new CommanderError(1, 'commander.unknownOption', 'unknown option'), EXIT.usage],
    ['a help that was shown', new CommanderError(0, 'commander.helpDisplayed', ''), EXIT.done],
    ['a home in use', new HomeInUse('/home', 1, '2026-01-01T00:00:00Z', 'settle'), EXIT.already],
    ['a start that was interrupted', new StackError('StartAborted', account), EXIT.interrupted],
    ['an interruption', new Interrupted(), EXIT.interrupted],
    ['a refused bundle', new BundleError('bundle-file-missing', account), EXIT.failed],
    ['an export that is there', new ExportError('export-exists', account), EXIT.already],
    ['a run that is under way', new CommandError('AlreadyRunning', 'run 1'), EXIT.already],
    ['a self-approval', new StoreError('SelfApproval', 'somebody else'), EXIT.approval],
    ['a stale approval', new StoreError('HoldMismatch', 'another digest'), EXIT.approval],
    ['rows that were changed', new StoreError('TamperedRows', 'epoch 1'), EXIT.mismatch],
  ])('gives %s its exit code, and takes it for no defect', (_, error, exit) => {
    expect(failureOf(error)).toMatchObject({ exit, defect: false });
  });

  it('says of a missing file which one, and what to do', () => {
    const error = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', path: '/x/y', syscall: 'open' });
    const { message, exit } = failureOf(error);
    expect(exit).toBe(EXIT.failed);
    expect(message).toMatch(/no such file.*\n {2}where: \/x\/y\n {2}next: {2}\S/s);
  });

  it.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01'])('takes %s for a database that did not answer', (code) => {
    const lost = Object.assign(new Error('lost'), { code });
    expect(failureOf(lost)).toMatchObject({ defect: false, message: expect.stringMatching(/did not answer: lost/) });
    // Nobody refused anything, so nothing is put on record as refused.
    expect(isDatabaseRefusal(lost)).toBe(false);
  });

  it('says of a full disk of the database what it is', () => {
    const full = Object.assign(new Error('could not extend file'), { code: '53100' });
    expect(failureOf(full)).toMatchObject({
      exit: EXIT.failed,
      defect: false,
      message: expect.stringMatching(/disk is full: could not extend file\..*make room there/s),
    });
  });

  it('takes a database that is away for an outage, and one that lacks rights for a matter of its administrator', () => {
    expect(failureOf(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))).toMatchObject({ defect: false });
    const rights = failureOf(Object.assign(new Error('permission denied'), { code: '42501' }));
    expect(rights.message).toMatch(/refused: permission denied/);
  });

  it('takes anything else for a defect of ours', () => {
    expect(failureOf(new TypeError('undefined is not a function'))).toMatchObject({ exit: EXIT.failed, defect: true });
    expect(failureOf(Object.assign(new Error('syntax'), { code: '42601' }))).toMatchObject({ defect: true });
  });
});
