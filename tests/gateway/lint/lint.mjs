// lint.mjs - the HTTP door's description against the schema that OpenAPI 3.1 publishes of itself.
//
//     node lint.mjs openapi.yaml        exit 0: it is one; 1: every fault, with its place
// Exit 77, skipped, where its package was not fetched (`npm ci --ignore-scripts` here).
const { Validator } = await import("@seriousme/openapi-schema-validator").catch(() => process.exit(77));

const file = process.argv[2];
const validator = new Validator();
const result = await validator.validate(file);
if (result.valid) {
  console.log(`${file}: a description by OpenAPI ${validator.version}`);
} else {
  for (const fault of [result.errors].flat()) console.error(`${file}: ${fault.instancePath ?? ""} ${fault.message ?? fault}`);
  process.exitCode = 1;
}
