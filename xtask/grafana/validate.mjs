// Checks dashboards against the schema that Grafana publishes as TypeScript types: `shape.ts` is turned
// into a JSON schema, and each file named on the command line has to fit it.
//
// Prints `FILE: ok` or one line for each thing that does not fit; ends with 1 when something does not.

import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Ajv from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

/** The most faults that are shown of one file. */
const FAULTS_MAX = 20;

const folder = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const generator = createGenerator({
  path: join(folder, 'shape.ts'),
  tsconfig: join(folder, 'tsconfig.json'),
  type: 'Dashboard',
  additionalProperties: false,
  // The library defines some names more than once, so they cannot be shared by name.
  expose: 'none',
});
const ajv = new Ajv({ allErrors: true, strict: false });
const fits = ajv.compile(generator.createSchema('Dashboard'));

/**
 * Leaves out what says nothing: that a panel is not one of the other types either.
 *
 * Every type of panel is a branch of a union; a branch whose `type` does not fit was not meant.
 */
function faults(errors) {
  const suffix = '/properties/type/const';
  const isType = (error) => error.keyword === 'const' && error.schemaPath.endsWith(suffix);
  const others = errors
    .filter(isType)
    .map((error) => [error.instancePath.replace(/type$/, ''), error.schemaPath.slice(0, -suffix.length)]);
  const isMeant = (error) =>
    error.keyword !== 'anyOf' &&
    !others.some(([at, branch]) => error.instancePath.startsWith(at.slice(0, -1)) && error.schemaPath.startsWith(`${branch}/`));
  const meant = errors.filter(isMeant);
  return meant.length > 0 ? meant : errors;
}

let isSound = true;
for (const file of process.argv.slice(2)) {
  const document = JSON.parse(readFileSync(file, 'utf8'));
  if (fits(document)) {
    console.log(`${basename(file)}: ok`);
    continue;
  }
  isSound = false;
  for (const error of faults(fits.errors).slice(0, FAULTS_MAX)) {
    const more = error.params ? ` ${JSON.stringify(error.params)}` : '';
    console.log(`${basename(file)}: ${error.instancePath || '/'} ${error.message}${more}`);
  }
}
process.exitCode = isSound ? 0 : 1;
