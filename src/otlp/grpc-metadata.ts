import { Metadata } from '@grpc/grpc-js';

/**
 * Headers as gRPC sends them.
 * @throws Error naming the header that gRPC cannot send, but not its value, which the library's own message shows
 */
export function createGrpcMetadata(headers: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) {
    const expected = findExpected(name, value);
    if (expected !== undefined) throw new Error(`Cannot use header "${name}": expected ${expected}`);
    metadata.set(name, value);
  }
  return metadata;
}

function findExpected(name: string, value: string): string | undefined {
  if (!/^[0-9a-z_.-]+$/iu.test(name)) return 'a name of letters, digits, "_", "-" and "."';
  if (/-bin$/iu.test(name)) return 'a name that does not end with "-bin"';
  return /^[ -~]*$/u.test(value) ? undefined : 'a value of printable ASCII';
}
