import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Every link from one page of ours to another leads to a file that is there, and to a heading that it has. */

const ROOT = join(__dirname, '..', '..');

function pagesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath, entry.name));
}

const PAGES = [
  ...readdirSync(ROOT)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(ROOT, name)),
  ...['docs', 'samples', 'policies'].flatMap((folder) => pagesBelow(join(ROOT, folder))),
].map((page) => relative(ROOT, page));

const withoutCode = (markdown: string): string =>
  markdown.replaceAll(/```[\s\S]*?```/g, '').replaceAll(/`[^`\n]*`/g, 'x');

/** As GitHub and GitLab name headings. */
function anchorsOf(page: string): Set<string> {
  const headings = readFileSync(page, 'utf8')
    .replaceAll(/```[\s\S]*?```/g, '')
    .matchAll(/^#{1,6} (.+)$/gm);
  const anchors = [...headings].map(([, title]) =>
    (title ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
  return new Set(anchors);
}

function deadLinksOf(page: string): string[] {
  const links = [...withoutCode(readFileSync(join(ROOT, page), 'utf8')).matchAll(/\]\(([^)\s]+)\)/g)];
  return links
    .map(([, target]) => target ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [file, anchor] = target.split('#');
      const path = file ? join(ROOT, dirname(page), file) : join(ROOT, page);
      if (!existsSync(path)) return true;
      return anchor !== undefined && !anchorsOf(path).has(anchor);
    });
}

test('there are pages', () => {
  expect(PAGES).toEqual(
    expect.arrayContaining(['README.md', join('docs', 'spec.md'), join('docs', 'architecture.md')]),
  );
});

test.each(PAGES)('%s has no dead link', (page) => {
  expect(deadLinksOf(page)).toEqual([]);
});
