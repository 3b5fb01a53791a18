/** Writes docs/performance.md from the kept results. */
export function writePage(): void {}
