import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

/**
 * No mutants in prose: a text with a space in it is a sentence for people. Ids, reasons and separators, which programs
 * read, have none, so they are mutated.
 */
const shouldIgnore = ({ node }) => {
  const texts =
    node.type === 'StringLiteral'
      ? [node.value]
      : node.type === 'TemplateLiteral'
        ? node.quasis.map((quasi) => quasi.value.raw)
        : [];
  return texts.some((text) => text.includes(' ')) ? 'prose' : undefined;
};

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, 'prose', { shouldIgnore })];
