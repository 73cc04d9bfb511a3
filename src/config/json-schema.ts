import type { FormatName, Schema, Setting } from '../component/schema.js';
import { pipelineSchema, receiverKeys, serviceSchema, telemetrySchema } from './service-schema.js';
import { isGroupSetting, isListSetting, isSetting } from './settings.js';

type Json = Readonly<Record<string, unknown>>;

/** The schemas of all components, by the section of the configuration and the type. */
export type ComponentSchemas = Readonly<Record<string, Readonly<Record<string, Schema>>>>;

/** Any value may also be a reference such as `${env:NAME}`, which is a text until it is replaced. */
const reference: Json = { $ref: '#/definitions/reference' };

const jsonTypes: { readonly [Name in FormatName]: Json } = {
  string: { type: 'string' },
  path: { type: 'string', minLength: 1 },
  int: { type: 'integer' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  duration: { type: ['string', 'integer'], examples: ['1s', '200ms'] },
  milliseconds: { type: ['string', 'integer'], examples: ['10s', 10_000] },
  byte_size: { type: ['string', 'number'], examples: ['64MiB'] },
  port: { type: 'integer', minimum: 0, maximum: 65_535 },
  endpoint: { type: 'string', examples: ['localhost:4317'] },
  target: { type: 'string', examples: ['localhost:4317'] },
  url: { type: 'string', format: 'uri' },
  regexp: { type: ['string', 'number'], format: 'regex' },
  string_list: { type: 'array', items: { type: 'string' } },
  condition_list: {
    type: 'array',
    items: {
      anyOf: [
        { type: 'string' },
        {
          type: 'object',
          properties: {
            conditions: { type: 'array', items: { type: 'string' } },
            context: { type: 'string' },
            error_mode: { type: 'string' },
          },
          required: ['conditions'],
          additionalProperties: false,
        },
      ],
    },
  },
  int_list: { type: 'array', items: { type: 'integer' } },
  number_list: { type: 'array', items: { type: 'number' } },
  string_map: { type: 'object', additionalProperties: { type: 'string' } },
  string_lists: {
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
  },
  attribute_value: { type: ['string', 'number', 'boolean'] },
};

/** Definitions for settings: each format, and what may replace any value. */
function describeFormats(): Json {
  const formats = Object.entries(jsonTypes).map(([name, type]) => [
    name,
    { anyOf: [type, { type: 'null' }, reference] },
  ]);
  return { reference: { type: 'string', pattern: '\\$\\{' }, ...Object.fromEntries(formats) };
}

/** A JSON schema of the whole configuration, for completion and validation in editors. */
export function describeConfig(components: ComponentSchemas): Json {
  const sections = Object.entries(components).map(([section, schemas]) => [
    section,
    describeSection(section === 'receivers' ? addReceiverKeys(schemas) : schemas),
  ]);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Joulemetry configuration',
    type: 'object',
    additionalProperties: false,
    properties: { ...Object.fromEntries(sections), service: describeService() },
    definitions: describeFormats(),
  };
}

function addReceiverKeys(schemas: Readonly<Record<string, Schema>>): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(schemas).map(([type, schema]) => [type, { ...schema, ...receiverKeys }]),
  );
}

/** Ids are types with an optional name; those of third-party types are validated by the collector only. */
function describeSection(schemas: Readonly<Record<string, Schema>>): Json {
  const patterns = Object.entries(schemas).map(([type, schema]) => [
    `^${type}(/.+)?$`,
    { anyOf: [describeLevel(schema), { type: 'null' }] },
  ]);
  return { type: ['object', 'null'], patternProperties: Object.fromEntries(patterns) };
}

function describeService(): Json {
  const pipelines = {
    type: 'object',
    patternProperties: { '^metrics(/.+)?$': describeLevel(pipelineSchema) },
  };
  return {
    type: 'object',
    additionalProperties: false,
    properties: {
      extensions: describePart(serviceSchema.extensions),
      pipelines: { ...pipelines, additionalProperties: false },
      telemetry: describeLevel(telemetrySchema),
    },
  };
}

function describeLevel(schema: Schema): Json {
  const properties = Object.entries(schema).map(([key, part]) => [key, describePart(part)]);
  return {
    type: ['object', 'null'],
    additionalProperties: false,
    properties: Object.fromEntries(properties),
  };
}

function describePart(part: Schema[string]): Json {
  if (!isSetting(part)) return describeLevel(part);
  if (isListSetting(part)) {
    return { description: part.doc, type: ['array', 'null'], items: describeLevel(part.items) };
  }
  if (isGroupSetting(part)) return { description: part.doc, ...describeLevel(part.settings) };
  const { doc, default: standard } = part;
  return { description: doc, ...describeValue(part), ...(standard === null ? {} : { default: standard }) };
}

function describeValue({ format, min, max }: Setting): Json {
  if (typeof format !== 'string') return { anyOf: [{ enum: format }, { type: 'null' }, reference] };
  const isPlainNumber = format === 'int' || format === 'number';
  const bounds = isPlainNumber ? { minimum: min, maximum: max } : {};
  // Keywords next to $ref would be ignored; bounds are for numbers only.
  return { allOf: [{ $ref: `#/definitions/${format}` }], ...bounds };
}
