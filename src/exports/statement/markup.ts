/** Text of a page: whatever is in it can neither end a tag nor hide or turn the reading direction. */

// As on a terminal: control, format and private characters are shown by their number instead.
const CONTROL = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text of others, for elements and attributes alike. */
export function escaped(text: string): string {
  return text
    .replace(CONTROL, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
    .replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}

const GROUP = /\B(?=(\d{3})+(?!\d))/g;

/** `12,345.6`, with a real minus. */
export function grouped(text: string): string {
  const negative = text.startsWith('-');
  const [whole = '0', fraction] = (negative ? text.slice(1) : text).split('.');
  const digits = `${whole.replace(GROUP, ',')}${fraction === undefined ? '' : `.${fraction}`}`;
  return negative ? `−${digits}` : digits;
}

/** Decimals that are read; the rest are there to add up, and stand back. */
const READ_DECIMALS = 4;

/** An exact amount of tokens with all of its places, so that columns add up on paper; `sign`: also above zero. */
export function tokenFigure(baseUnits: bigint, decimals: number, sign = false): string {
  if (baseUnits === 0n) return '<span class="nil">0</span>';
  const digits = (baseUnits < 0n ? -baseUnits : baseUnits).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals).replace(GROUP, ',');
  const fraction = digits.slice(digits.length - decimals);
  const mark = baseUnits < 0n ? '−' : sign ? '+' : '';
  if (decimals === 0) return mark + whole;
  const tail = fraction.slice(READ_DECIMALS);
  return `${mark}${whole}.${fraction.slice(0, READ_DECIMALS)}${tail === '' ? '' : `<span class="tail">${tail}</span>`}`;
}

/** The same in words of a sentence: without the places that are 0. */
export function tokenWords(baseUnits: bigint, decimals: number): string {
  const digits = (baseUnits < 0n ? -baseUnits : baseUnits).toString().padStart(decimals + 1, '0');
  const fraction = digits.slice(digits.length - decimals, digits.length).replace(/0+$/, '');
  const whole = digits.slice(0, digits.length - decimals);
  const plain = decimals === 0 || fraction === '' ? whole : `${whole}.${fraction}`;
  return grouped(baseUnits < 0n ? `-${plain}` : plain);
}

/** `2020-05-28 22:00` of `2020-05-28T22:00:00Z`; seconds where they say something. */
export function instantWords(instant: string): string {
  const seconds = instant.slice(16, 19);
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)}${seconds === ':00' ? '' : seconds}`;
}

export interface TableColumn<Row> {
  readonly title: string;
  /** Figures stand flush right, in digits of one width. */
  readonly kind: 'figure' | 'word';
  /** Markup, escaped already. */
  readonly cell: (row: Row) => string;
}

/** A table with a caption, in a frame that scrolls sideways where it is too wide and can be reached by keyboard. */
export function tableMarkup<Row>(
  caption: string,
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
  more: {
    readonly id: string;
    readonly head?: string;
    readonly foot?: string;
    readonly rowClass?: (row: Row) => string;
  },
): string {
  const heads = columns.map(({ title, kind }) => `<th scope="col" class="${kind}">${escaped(title)}</th>`).join('');
  const lines = rows.map((row) => {
    const cells = columns.map(({ kind, cell }, index) =>
      index === 0 ? `<th scope="row" class="${kind}">${cell(row)}</th>` : `<td class="${kind}">${cell(row)}</td>`,
    );
    const name = more.rowClass?.(row) ?? '';
    return `<tr${name === '' ? '' : ` class="${name}"`}>${cells.join('')}</tr>`;
  });
  return `<div class="scroll" role="region" tabindex="0" aria-labelledby="${more.id}">
<table><caption id="${more.id}">${escaped(caption)}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${[more.head ?? '', ...lines].filter((line) => line !== '').join('\n')}
</tbody>${more.foot === undefined ? '' : `\n<tfoot>\n${more.foot}\n</tfoot>`}
</table></div>`;
}
