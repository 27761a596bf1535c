import type { OnResolveResult, Plugin } from "esbuild";

const ABSENT = "absent";

/** Resolves to a module whose every export throws `reason` when called. */
const absent = (path: string, reason: string): OnResolveResult => ({
  path,
  namespace: ABSENT,
  pluginData: reason,
});

/** Supplies the modules that the other plugins leave out. */
export const absentModules = (): Plugin => ({
  name: "absent-modules",
  setup: (build) => {
    // Any name can be imported from CommonJS. The names live on the prototype, which esbuild's interop keeps.
    build.onLoad({ filter: /.*/, namespace: ABSENT }, ({ pluginData }) => ({
      contents: `module.exports=Object.create(new Proxy({},{get:(_,name)=>typeof name==="symbol"||name==="__esModule"||name==="then"?undefined:()=>{throw new Error(${JSON.stringify(pluginData)})}}))`,
      loader: "js",
    }));
  },
});

/** Leaves out how to open what a job does not need, and how to send or publish where it does neither. */
export const onlyDeclared = (job: {
  readonly job: string;
  readonly needs: readonly string[];
  readonly sends: readonly string[];
  readonly publishes: readonly string[];
}): Plugin => ({
  name: "only-declared",
  setup: (build) => {
    build.onResolve({ filter: /^\.\/(open-[a-z]+|send|publish)\.ts$/ }, ({ path, kind, importer }) => {
      if (kind !== "dynamic-import" || !importer.includes("/packages/runtime/")) return undefined;
      const name = path.slice("./".length, -".ts".length);
      if (name === "send") return job.sends.length > 0 ? undefined : absent(path, `${job.job} declares no send`);
      if (name === "publish") return job.publishes.length > 0 ? undefined : absent(path, `${job.job} declares no fact`);
      const need = name.slice("open-".length);
      return job.needs.includes(need) ? undefined : absent(path, `${job.job} does not declare the need ${need}`);
    });
  },
});

// What ccxt has for other venues: dydx and mexc (protobuf), zklink, starknet chains, proxies and streams.
// Source: ccxt 4.5.84, js/src/base/Exchange.js
const OTHER_VENUES =
  /^(@scure\/starknet|protobufjs(\/.*)?|undici|fflate|ws|(http|https|socks)-proxy-agent)$|\/functions\/starknet\.js$|\/zklink-sdk-web\.js$|\/dydx-v4-client\/|\/protobuf\/mexc\/compiled\.cjs$/;

/**
 * Bundles of ccxt the one venue that the desk trades on. ccxt exports its entry alone, which brings a hundred venues.
 * Why this is sound: docs/decisions/0009-bundles.md.
 */
export const ccxtForOkx = (root: string): Plugin => ({
  name: "ccxt-for-okx",
  setup: (build) => {
    build.onResolve({ filter: /^ccxt$/ }, ({ path }) => ({ path, namespace: "ccxt-for-okx" }));
    build.onLoad({ filter: /.*/, namespace: "ccxt-for-okx" }, () => ({
      contents: 'export { default as okx } from "./node_modules/ccxt/js/src/okx.js";',
      resolveDir: root,
    }));
    build.onResolve({ filter: OTHER_VENUES }, ({ path, importer }) =>
      importer.includes("/node_modules/ccxt/") ? absent(path, `ccxt's ${path} is not in this bundle`) : undefined,
    );
  },
});

/**
 * Lambda gives a function its role's credentials in the environment, so the bundle has that provider and none of the
 * chain (SSO, profiles, processes, web identity, instance metadata), which is half of the SDK.
 */
export const awsOnLambda = (root: string): Plugin => ({
  name: "aws-on-lambda",
  setup: (build) => {
    build.onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, ({ path }) => ({
      path,
      namespace: "aws-on-lambda",
    }));
    build.onLoad({ filter: /.*/, namespace: "aws-on-lambda" }, () => ({
      contents: 'export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";',
      resolveDir: root,
    }));
  },
});
