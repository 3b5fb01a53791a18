import { toHex, writeHex } from '../../src/proofs/hex';

/** What is written of the text into the middle of six bytes; null: it was refused. */
function written(text: string, length = 2): number[] | null {
  const target = new Uint8Array(6).fill(7);
  return writeHex(text, target, 3, length) ? [...target] : null;
}

test('bytes go to hex digits of lower case and back, from and to the middle of others', () => {
  expect(toHex(Uint8Array.of(1, 0, 15, 160, 255), 1, 3)).toBe('0x000fa0');
  expect(toHex(Uint8Array.of(1), 0, 0)).toBe('0x');
  expect(written('0x0fa0')).toEqual([7, 7, 7, 15, 160, 7]);
  expect(written('0x', 0)).toEqual([7, 7, 7, 7, 7, 7]);
});

test('digits of either case are read', () => {
  expect(written('0xAbCd')).toEqual([7, 7, 7, 0xab, 0xcd, 7]);
  for (let byte = 0; byte < 256; byte += 1) {
    const text = toHex(Uint8Array.of(byte), 0, 1);
    for (const one of [text, `0x${text.slice(2).toUpperCase()}`]) expect(written(one, 1)?.[3]).toBe(byte);
  }
});

test.each([
  '0x0fa',
  '0x0fa00',
  '0fa0',
  '0X0fa0',
  '1x0fa0',
  '0x0fg0',
  '0xg0a0',
  '0x0g00',
  '0x000g',
  '0x €a0',
  '0x0€a0',
  '0x00€0',
  '0xa\u01230',
])('%j is not two bytes of hex digits', (text) => {
  expect(written(text)).toBeNull();
});
