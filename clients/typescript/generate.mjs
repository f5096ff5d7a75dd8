// Writes src/schema.ts: the types of the contract. Files are Blobs, which openapi-typescript would call strings.
import { writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';

const blob = ts.factory.createTypeReferenceNode('Blob');
const isFile = (schema) => schema.format === 'binary' || schema.contentMediaType === 'application/octet-stream';

const types = await openapiTS(new URL('../../api/openapi.yaml', import.meta.url), {
  defaultNonNullable: false, // a property with a default need not be sent
  transform: (schema) => (isFile(schema) ? blob : undefined),
});
const header = '// Generated from api/openapi.yaml by `npm run generate`: do not edit.\n';
await writeFile(new URL('src/schema.ts', import.meta.url), header + astToString(types));
