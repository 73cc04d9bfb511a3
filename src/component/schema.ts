/** The value type of each format, as the component receives it. */
export interface Formats {
  string: string;
  /** A path to a file or folder. */
  path: string;
  int: number;
  number: number;
  boolean: boolean;
  /** Go style, `1m30s` or `200ms`; milliseconds as a number, 0 or more. */
  duration: number;
  /** A duration, or a whole number of milliseconds as in OpenTelemetry's own configuration; milliseconds. */
  milliseconds: number;
  /** `64KiB`, `4MB`, `1024`; bytes as a number. */
  byte_size: number;
  /** 0 to 65535; 0 lets the system choose. */
  port: number;
  /** `host:port`, `[::1]:port` or `:port`. */
  endpoint: string;
  /** A gRPC target: `host:port`, optionally with `http://` or `https://`. */
  target: string;
  /** An http or https address. */
  url: string;
  /** A regular expression's source. */
  regexp: string;
  string_list: readonly string[];
  /** Texts, of which some may be in groups as in the Collector's filter. */
  condition_list: readonly string[];
  int_list: readonly number[];
  number_list: readonly number[];
  string_map: Readonly<Record<string, string>>;
  string_lists: Readonly<Record<string, readonly string[]>>;
  /** A text, a number or a boolean: an attribute's value. */
  attribute_value: string | number | boolean;
}

export type FormatName = keyof Formats;

/**
 * The content of a file that a setting names. `certificates`, `private_key`: PEM, of which the key belongs to the
 * certificates of `cert_file` or `client_certificate` next to it. `secret`: one line. `web_config`: TLS settings and
 * users of a server. `rates`: lines `time,value`, with values of at least the setting's `min`. `recordings`: names of
 * recorded files, with `*` for any characters. `module`: JavaScript. `output`: it is written, and its folder must exist.
 * `folder`: it must exist, unless `create_directory` next to it is true.
 */
export type FileContent =
  | 'certificates'
  | 'private_key'
  | 'secret'
  | 'web_config'
  | 'rates'
  | 'recordings'
  | 'module'
  | 'output'
  | 'folder';

/** One setting. An array of strings as the format means one of these. `default: null`: not set. */
export interface Setting {
  readonly doc: string;
  readonly format: FormatName | readonly string[];
  /** As a user would write it: `1s`, not 1000. */
  readonly default: unknown;
  /** The value is the id of a component of this kind, which must be configured. */
  readonly references?: 'extension';
  /** What the file at this path contains, where a start needs it: `validate` then reads it, too. */
  readonly reads?: FileContent;
  /** A start continues without the file, unless `required` next to it is true. */
  readonly isOptional?: true;
  /** A secret: redacted in all output. */
  readonly sensitive?: boolean;
  /** Minimum and maximum, for int, number, duration (milliseconds) and byte_size; for a file of rates, of its values. */
  readonly min?: number;
  readonly max?: number;
}

/** A list of maps that all have the same settings. */
export interface ListSetting {
  readonly doc: string;
  readonly format: 'list';
  readonly items: Schema;
  readonly default: readonly [];
}

/** Settings that exist only if their key is written, with or without a value; otherwise null. */
export interface GroupSetting {
  readonly doc: string;
  readonly format: 'group';
  readonly settings: Schema;
  readonly default: null;
}

/** The settings of a component: one level or nested. */
export interface Schema {
  readonly [key: string]: Setting | ListSetting | GroupSetting | Schema;
}

type ValueOf<S> = S extends { readonly format: 'list'; readonly items: infer I }
  ? readonly ConfigOf<I>[]
  : S extends { readonly format: 'group'; readonly settings: infer G }
    ? ConfigOf<G> | null
    : S extends { readonly format: infer F; readonly default: infer D }
      ? | (F extends FormatName ? Formats[F] : F extends readonly (infer Choice)[] ? Choice : never)
        | (D extends null ? null : never)
      : ConfigOf<S>;

/** What a component receives: every setting of its schema, with its value or its default. */
export type ConfigOf<S> = { readonly [Key in keyof S]: ValueOf<S[Key]> };
