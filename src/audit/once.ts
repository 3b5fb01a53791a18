/**
 * Remembers what was found out about a record for as long as the record is there: the epochs of a range share their
 * history, and each published record would else be read and digested once for every epoch that reads it.
 */
export function once<Subject extends object, Found>(find: (record: Subject) => Found): (record: Subject) => Found {
  const known = new WeakMap<Subject, { readonly found: Found }>();
  return (record) => {
    const kept = known.get(record);
    if (kept !== undefined) return kept.found;
    const found = find(record);
    known.set(record, { found });
    return found;
  };
}
