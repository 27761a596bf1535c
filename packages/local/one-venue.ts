// Loaded before anything else (node --import) by the commands that run the desk: `import … from "ccxt"` then brings OKX alone.
// ccxt's one entry loads all of its hundred venues, which took a desk 70 MB and a third of a second. The bundles do alike:
// docs/decisions/0009-bundles.md.
import { registerHooks } from "node:module";

const okx = new URL("../../node_modules/ccxt/js/src/okx.js", import.meta.url);
const URL_HERE = "spyhop:ccxt-for-okx";

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "ccxt" ? { url: URL_HERE, shortCircuit: true } : next(specifier, context),
  load: (url, context, next) =>
    url === URL_HERE
      ? { format: "module", source: `export { default as okx } from ${JSON.stringify(okx.href)};`, shortCircuit: true }
      : next(url, context),
});
