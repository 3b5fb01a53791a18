import type { Colors } from 'picocolors/types';
import type { Io } from '../io';
import { type Sheet, sheetTable, visibleLength } from '../output';

/** The table of a sheet without as many of the columns in `droppable` (the first goes first) as do not fit. */
export function fittedTable<Row>(
  sheet: Sheet<Row>,
  droppable: readonly string[],
  colors: Colors,
  width: number,
): string {
  for (let dropped = 0; ; dropped += 1) {
    const gone = droppable.slice(0, dropped);
    const columns = sheet.columns.filter(({ key }) => !gone.includes(key));
    const table = sheetTable({ ...sheet, columns }, colors, width);
    if (dropped === droppable.length || table.split('\n').every((line) => visibleLength(line) <= width)) return table;
  }
}

/** Prints a sheet; as a table, in the width of the terminal. The data formats always have every column. */
export function printFitted<Row>(io: Io, sheet: Sheet<Row>, droppable: readonly string[]): void {
  if (io.format !== 'table') io.sheet(sheet);
  else io.data(fittedTable(sheet, droppable, io.colors, io.width));
}
