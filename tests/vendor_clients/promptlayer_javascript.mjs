// Runs workflows by the vendor's own JavaScript library, unmodified, with a sandbox: `nox -s vendor_clients`.
// Takes the sandbox's base URL; the key is `sandbox-key`. Prints a line for each thing that was seen.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

// The library's modules for import lack the extensions that Node asks for; those for require are whole.
const { PromptLayer } = createRequire(`${process.cwd()}/`)("promptlayer");

const client = new PromptLayer({ apiKey: "sandbox-key", baseURL: process.argv[2] });
const short = { user_message: "Hello" };
const calls = {
  latest: { inputVariables: short },
  label: { inputVariables: short, workflowLabelName: "production" },
  version: { inputVariables: short, workflowVersion: 1 },
  "all outputs": { inputVariables: short, returnAllOutputs: true },
  "too long for a message": { inputVariables: { user_message: "x".repeat(100_000) } },
};
for (const [name, call] of Object.entries(calls)) {
  const result = await client.runWorkflow({ workflowName: "canary", ...call });
  const text = JSON.stringify(result);
  assert(text.includes(name.startsWith("too") ? "x".repeat(100_000) : "Hello"), `${name}: ${text.slice(0, 200)}`);
  if (name === "all outputs") assert.deepEqual(Object.keys(result).sort(), ["Draft", "Reply"]);
  console.log(`${name}: ${text.slice(0, 100)}`);
}
await assert.rejects(async () => {
  const result = await client.runWorkflow({ workflowName: "no-such-workflow", inputVariables: {} });
  if (result.success === false) throw new Error(result.message);
});
console.log("no such workflow: refused");
process.exit(0);
