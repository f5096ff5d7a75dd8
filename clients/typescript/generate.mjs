// Writes src/schema.ts, the types of the contract, and src/live/schema.ts, the types of the messages of live rooms.
// Files are Blobs; openapi-typescript would make them strings.
import { readFile, writeFile } from 'node:fs/promises';
import { parseYaml } from '@redocly/openapi-core';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';

const blob = ts.factory.createTypeReferenceNode('Blob');
const isFile = (schema) => schema.format === 'binary' || schema.contentMediaType === 'application/octet-stream';

const types = await openapiTS(new URL('../../api/openapi.yaml', import.meta.url), {
  defaultNonNullable: false, // a property with a default need not be sent
  transform: (schema) => (isFile(schema) ? blob : undefined),
});
await write('src/schema.ts', 'api/openapi.yaml', types);

// AsyncAPI has the same schemas as OpenAPI.
const live = parseYaml(await readFile(new URL('../../api/live.yaml', import.meta.url), 'utf8'));
await write('src/live/schema.ts', 'api/live.yaml', await openapiTS({
  openapi: '3.1.0', info: live.info, paths: {}, components: { schemas: live.components.schemas },
}));

async function write(file, source, nodes) {
  const header = `// Generated from ${source} by \`npm run generate\`: do not edit.\n`;
  await writeFile(new URL(file, import.meta.url), header + astToString(nodes));
}
