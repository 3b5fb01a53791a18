// Lets a plain Node process load our TypeScript, for tests that must kill a process of their own.
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { transformSync } = require('@swc/core');

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs' },
  });
  module._compile(code, filename);
};

// An import that waits until it is needed names the compiled file, as Node wants it; here there is the source.
const resolve = Module._resolveFilename;
Module._resolveFilename = (request, ...where) => {
  try {
    return resolve(request, ...where);
  } catch (error) {
    if (!/^\.{1,2}\/.*\.js$/.test(request)) throw error;
    return resolve(request.replace(/\.js$/, '.ts'), ...where);
  }
};
