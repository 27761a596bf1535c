import { writeFile } from "node:fs/promises";
import { type Command, runCommand } from "#host/cli";
import { openapiText } from "./openapi/document.ts";

const FILE = "web/openapi.json";

const command: Command = {
  usage: "npm run openapi --",
  summary: `Writes ${FILE}, the OpenAPI 3.1 document of the HTTP API, from its contracts.`,
  options: {},
  notes: ["A test holds the file to the contracts (packages/topology/contracts). docs/api.md tells the API to people."],
};

await runCommand(command, async () => {
  await writeFile(FILE, openapiText());
  process.stdout.write(`${FILE} is written\n`);
});
