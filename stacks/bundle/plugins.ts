import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { OnResolveResult, Plugin } from "esbuild";
import { namesIn, pruneMethods } from "./prune-class.ts";

const ABSENT = "absent";

/** Resolves to a module whose every export throws `reason` when called. */
const absent = (path: string, reason: string): OnResolveResult => ({
  path,
  namespace: ABSENT,
  pluginData: reason,
});

const MAKER = `module.exports = (reason) => {
  const thrower = () => { throw new Error(reason); };
  const asked = (name) => typeof name === "symbol" || name === "__esModule" || name === "then";
  return Object.create(new Proxy({}, { get: (_, name) => (asked(name) ? undefined : thrower) }));
};`;

/** Supplies the modules that the other plugins leave out. */
export const absentModules = (): Plugin => ({
  name: "absent-modules",
  setup: (build) => {
    // Any name can be imported from CommonJS. The names live on the prototype, which esbuild's interop keeps.
    build.onResolve({ filter: /^absent:maker$/ }, ({ path }) => ({ path, namespace: ABSENT }));
    build.onLoad({ filter: /.*/, namespace: ABSENT }, ({ path, pluginData }) => ({
      contents:
        path === "absent:maker" ? MAKER : `module.exports = require("absent:maker")(${JSON.stringify(pluginData)});`,
      loader: "js",
    }));
  },
});

const LAZY = /\(await import\("(\.\/[a-z-]+(?:\/[a-z-]+)?\.ts)"\)\)\.(\w+)/g;

/**
 * Returns a source with its lazy imports made plain ones. A function uses all that it declares, so nothing is gained by
 * waiting; and esbuild wraps a module that is imported lazily, with all that it imports, so that none of it shakes.
 * @throws Error at a lazy import of another form: it would grow every bundle in silence
 */
function imported(source: string): string {
  const plain: string[] = [];
  const text = source.replace(LAZY, (_, path: string, name: string) => {
    plain.push(`import { ${name} } from "${path}";`);
    return name;
  });
  if (/\bimport\(/.test(text)) throw new Error(`a lazy import is not of the form ${LAZY.source}`);
  return [...plain, text].join("\n");
}

/** Leaves out how to open what a job does not need, and how to send or publish where it does neither. */
export const onlyDeclared = (job: {
  readonly job: string;
  readonly needs: readonly string[];
  readonly sends: readonly string[];
  readonly publishes: readonly string[];
}): Plugin => ({
  name: "only-declared",
  setup: (build) => {
    build.onLoad({ filter: /\/packages\/runtime\/(services|context|consume)\.ts$/ }, async ({ path }) => ({
      contents: imported(await readFile(path, "utf8")),
      loader: "ts",
    }));
    build.onResolve({ filter: /^\.\/([a-z]+\/)?(open-[a-z]+|send|publish)\.ts$/ }, ({ path, importer }) => {
      if (!/\/packages\/runtime\/(services|context)\.ts$/.test(importer)) return undefined;
      const name = basename(path, ".ts");
      if (name === "send") return job.sends.length > 0 ? undefined : absent(path, `${job.job} declares no send`);
      if (name === "publish") return job.publishes.length > 0 ? undefined : absent(path, `${job.job} declares no fact`);
      const need = name.slice("open-".length);
      return job.needs.includes(need) ? undefined : absent(path, `${job.job} does not declare the need ${need}`);
    });
  },
});

// What ccxt has for other venues, and for what the desk does not do: dydx and mexc (protobuf), zklink, starknet and other
// chains, elliptic curves, proxies, streams. Source: ccxt 4.5.84, js/src/base/Exchange.js
const UNUSED =
  /^(@scure\/starknet|@noble\/curves\/.*|protobufjs(\/.*)?|undici|fflate|ws|(http|https|socks)-proxy-agent)$|\/functions\/(starknet|ethabi|msgpack|totp)\.js$|^\.\/(starknet|ethabi|msgpack|totp)\.js$|\/ws\/[A-Za-z]+\.js$|\/zklink-sdk-web\.js$|\/dydx-v4-client\/|\/protobuf\/mexc\/compiled\.cjs$/;

const CCXT_CLASSES = ["node_modules/ccxt/js/src/base/Exchange.js", "node_modules/ccxt/js/src/okx.js"];

// All that speaks to ccxt.
const OKX = "packages/runtime/okx";

/** Returns ccxt's two classes by path from the root, without the methods that nothing in `runtime/okx` leads to. */
async function leanCcxt(root: string): Promise<ReadonlyMap<string, string>> {
  const read = async (path: string) => ({ path, text: await readFile(join(root, path), "utf8") });
  const callers = (await readdir(join(root, OKX))).filter((name) => /^[a-z-]+\.ts$/.test(name));
  const names = await Promise.all(callers.map(async (name) => namesIn(await read(`${OKX}/${name}`))));
  const classes = await Promise.all(CCXT_CLASSES.map(read));
  return pruneMethods(classes, new Set(names.flatMap((found) => [...found])));
}

const lean = new Map<string, Promise<ReadonlyMap<string, string>>>();

/**
 * Bundles of ccxt the one venue that the desk trades on, and of that what it calls. ccxt exports its entry alone, which
 * brings a hundred venues, and its classes do not shake. Why this is sound: docs/decisions/0009-bundles.md.
 */
export const ccxtForOkx = (root: string): Plugin => ({
  name: "ccxt-for-okx",
  setup: (build) => {
    build.onResolve({ filter: /^ccxt$/ }, ({ path }) => ({ path, namespace: "ccxt-for-okx" }));
    build.onLoad({ filter: /.*/, namespace: "ccxt-for-okx" }, () => ({
      contents: 'export { default as okx } from "./node_modules/ccxt/js/src/okx.js";',
      resolveDir: root,
    }));
    build.onLoad({ filter: /\/ccxt\/js\/src\/(base\/Exchange|okx)\.js$/ }, async ({ path }) => {
      const sources = lean.get(root) ?? leanCcxt(root);
      lean.set(root, sources);
      const contents = (await sources).get(CCXT_CLASSES.find((known) => path.endsWith(known)) ?? "");
      if (contents === undefined) throw new Error(`${path} is not one of ccxt's classes`);
      return { contents, loader: "js" };
    });
    build.onResolve({ filter: UNUSED }, ({ path, importer }) =>
      importer.includes("/node_modules/ccxt/") ? absent(path, `ccxt's ${path} is not in this bundle`) : undefined,
    );
  },
});

/**
 * Leaves out of the SDK what a function on Lambda never uses. Its role's credentials are in the environment, so of the
 * chain of providers (SSO, profiles, processes, web identity, instance metadata) that one goes in; the chain is half of
 * the SDK. Clients ask for it by one name, the signer of RDS by another. No call of the desk is a stream of events, no Node lacks a
 * SHA-256 of its own, and no client is told to retry adaptively. A client reads its package.json for its version alone.
 */
export const awsOnLambda = (root: string): Plugin => ({
  name: "aws-on-lambda",
  setup: (build) => {
    build.onResolve({ filter: /^@aws-sdk\/credential-provider(-node|s)$/ }, ({ path }) => ({
      path,
      namespace: "aws-on-lambda",
    }));
    build.onLoad({ filter: /.*/, namespace: "aws-on-lambda" }, () => ({
      contents:
        'export { fromEnv as defaultProvider, fromEnv as fromNodeProviderChain } from "@aws-sdk/credential-provider-env";',
      resolveDir: root,
    }));
    build.onResolve({ filter: /^@smithy\/core\/event-streams$/ }, ({ path, importer }) =>
      // The client of S3 calls two functions of it when it is made, for calls that the desk does not use.
      /\/@aws-sdk\/client-s3\//.test(importer)
        ? { path, namespace: "no-event-streams" }
        : absent(path, "no call of this bundle is a stream of events"),
    );
    build.onResolve({ filter: /\/Sha256Js$/ }, ({ path, importer }) =>
      importer.endsWith("/Sha256Node.js") ? absent(path, "Node has its own SHA-256") : undefined,
    );
    build.onResolve({ filter: /^\.\/DefaultRateLimiter$/ }, ({ path, importer }) =>
      importer.endsWith("/AdaptiveRetryStrategy.js")
        ? absent(path, "no client of this bundle retries adaptively")
        : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: "no-event-streams" }, () => ({
      contents:
        "export const resolveEventStreamSerdeConfig = (c) => c; export const eventStreamSerdeProvider = () => null;",
    }));
    build.onLoad({ filter: /\/@aws-sdk\/client-[a-z-]+\/package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, "utf8")) as { version: string };
      return { contents: JSON.stringify({ version }), loader: "json" };
    });
  },
});

const JSON_SCHEMA = [
  ...["createStandardJSONSchemaMethod", "createToJSONSchemaMethod", "extractDefs", "finalize"],
  ...["handleUnrepresentable", "initializeContext", "process", "processSchema"],
];

/** Leaves out how zod writes a schema as JSON Schema: a function checks with its schemas and prints none. */
export const zodThatChecks = (): Plugin => ({
  name: "zod-that-checks",
  setup: (build) => {
    build.onResolve({ filter: /\/json-schema-processors\.js$/ }, ({ path, importer }) =>
      importer.includes("/node_modules/zod/") ? absent(path, "zod writes no JSON Schema in this bundle") : undefined,
    );
    // Its functions make others when a schema is asked for one: what they make throws.
    build.onLoad({ filter: /\/node_modules\/zod\/v4\/core\/to-json-schema\.js$/ }, () => ({
      contents: `const none = () => () => { throw new Error("zod writes no JSON Schema in this bundle"); };
export { ${JSON_SCHEMA.map((name) => `none as ${name}`).join(", ")} };`,
      loader: "js",
    }));
  },
});

/** Leaves out of postgres.js how to follow a replication slot and large objects: the desk asks and writes rows. */
export const postgresOfRows = (): Plugin => ({
  name: "postgres-of-rows",
  setup: (build) => {
    build.onLoad({ filter: /\/node_modules\/postgres\/src\/(subscribe|large)\.js$/ }, () => ({
      contents: `export default function none() {
  return () => { throw new Error("no replication and no large object in this bundle"); };
}`,
      loader: "js",
    }));
  },
});

/** Leaves out how languages, charsets and media types are negotiated: the API's replies have one of each, and encodings alone differ. */
export const negotiatorOfEncodings = (): Plugin => ({
  name: "negotiator-of-encodings",
  setup: (build) => {
    build.onResolve({ filter: /^negotiator\/lib\/(charset|language|mediaType)\.js$/ }, ({ path }) =>
      absent(path, "encodings alone are negotiated in this bundle"),
    );
  },
});

/**
 * Leaves out of drizzle the kinds of columns that no table has, since a table names those that it has and takes none from the list of
 * all, and queries by relations: no database is opened with its tables (db/server/connect.ts), so that none has a `query`.
 */
export const drizzleOfOwnColumns = (): Plugin => ({
  name: "drizzle-of-own-columns",
  setup: (build) => {
    build.onLoad({ filter: /\/node_modules\/drizzle-orm\/pg-core\/columns\/all\.js$/ }, () => ({
      contents: `export const getPgColumnBuilders = () => {
  throw new Error("a table names its columns' kinds: the list of all is not in this bundle");
};`,
      loader: "js",
    }));
    build.onResolve({ filter: /\/relations\.js$|\/query-builders\/query\.js$/ }, ({ path, importer }) =>
      /\/drizzle-orm\/(pg-core\/(db|dialect)|postgres-js\/driver)\.js$/.test(importer)
        ? absent(path, "no query of this bundle goes by relations")
        : undefined,
    );
  },
});

const TABLE = /^export const (\w+) = (pg(?:Table|View|MaterializedView)\([\s\S]*?\)(?:\.existing\(\))?);$/gm;

/** Leaves out the tables that a function never names: each is made by a call, which nothing says has no other effect. */
export const tablesThatAreNamed = (): Plugin => ({
  name: "tables-that-are-named",
  setup: (build) => {
    build.onLoad({ filter: /\/packages\/db\/schema\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(TABLE, "export const $1 = /* @__PURE__ */ (() => $2)();"),
      loader: "ts",
    }));
  },
});
