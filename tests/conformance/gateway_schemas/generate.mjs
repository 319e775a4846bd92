// Writes the JSON Schemas of the gateway payloads a bot receives: node generate.mjs <file>
// The types come from discord-api-types, which nobody here wrote.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createGenerator } from "ts-json-schema-generator";

const EVENTS = {
  READY: "GatewayReadyDispatch",
  GUILD_CREATE: "GatewayGuildCreateDispatch",
  INTERACTION_CREATE: "GatewayInteractionCreateDispatch",
  MESSAGE_CREATE: "GatewayMessageCreateDispatch",
  MESSAGE_UPDATE: "GatewayMessageUpdateDispatch",
  MESSAGE_DELETE: "GatewayMessageDeleteDispatch",
};

const target = process.argv[2];
if (!target) throw new Error("Name the file to write: node generate.mjs schemas.json");

const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(here, "node_modules", ".generate-"));
try {
  const source = join(folder, "events.ts");
  const types = Object.entries(EVENTS).map(([event, type]) => `  ${event}: ${type};`);
  writeFileSync(
    source,
    `import type { ${Object.values(EVENTS).join(", ")} } from "discord-api-types/v10";\n` +
      `export interface Events {\n${types.join("\n")}\n}\n`,
  );
  const tsconfig = join(folder, "tsconfig.json");
  writeFileSync(
    tsconfig,
    JSON.stringify({
      compilerOptions: { module: "nodenext", moduleResolution: "nodenext", strict: true, skipLibCheck: true },
      files: ["events.ts"],
    }),
  );
  const schema = createGenerator({
    path: source,
    tsconfig,
    type: "Events",
    skipTypeCheck: true,
    additionalProperties: true,
  }).createSchema("Events");
  widenFlags(schema);
  writeFileSync(target, JSON.stringify(schema));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const { version } = JSON.parse(readFileSync(join(here, "node_modules", "discord-api-types", "package.json")));
console.log(`${target}: ${Object.keys(EVENTS).length} events of discord-api-types ${version}`);

// A bit field is a number, and TypeScript knows only its single bits.
function widenFlags(schema) {
  for (const [name, definition] of Object.entries(schema.definitions)) {
    if (!name.endsWith("Flags") || !("enum" in definition || "const" in definition)) continue;
    schema.definitions[name] = { type: "integer", description: `bits of ${name}` };
  }
}
