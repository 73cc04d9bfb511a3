import { MessageWriter } from '../../src/otlp/wire.js';
import { readFields, type Field } from '../../src/protobuf.js';

// Messages of runtime.v1 (kubernetes/cri-api, pkg/apis/runtime/v1/api.proto), as far as names need them.

/** A container of a runtime. */
export interface CriContainer {
  readonly id: string;
  readonly name: string;
  /** As the user wrote it, if the runtime knows that; otherwise the digest. */
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The sandbox of a pod, which holds its namespaces; its id is also a container id. */
export interface CriSandbox {
  readonly id: string;
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** ListContainersRequest and ListPodSandboxRequest: everything, or only the one with this id. */
export function writeListRequest(id?: string): Buffer {
  const writer = new MessageWriter();
  if (id === undefined) return writer.finish();
  const filter = writer.begin(1);
  return writer.text(1, id).end(filter).finish();
}

/** ListPodSandboxRequest for the sandboxes of one pod, by the label that the kubelet sets. */
export function writePodRequest(uid: string): Buffer {
  const writer = new MessageWriter();
  const filter = writer.begin(1);
  const label = writer.begin(3);
  return writer.text(1, 'io.kubernetes.pod.uid').text(2, uid).end(label).end(filter).finish();
}

/** ContainerStatusRequest. */
export function writeStatusRequest(id: string): Buffer {
  return new MessageWriter().text(1, id).finish();
}

/** The containers of a ListContainersResponse, one by one. @throws RangeError when it is not one */
export function* parseContainers(bytes: Uint8Array): Iterable<CriContainer> {
  for (const container of new Message(bytes).each(1)) {
    yield {
      id: container.text(1),
      name: container.message(3).text(1),
      image: readImage(container.message(4)),
      labels: container.map(8),
    };
  }
}

/** The pods of a ListPodSandboxResponse, one by one. @throws RangeError when it is not one */
export function* parseSandboxes(bytes: Uint8Array): Iterable<CriSandbox> {
  for (const sandbox of new Message(bytes).each(1)) {
    const metadata = sandbox.message(2);
    yield {
      id: sandbox.text(1),
      name: metadata.text(1),
      uid: metadata.text(2),
      namespace: metadata.text(3),
      labels: sandbox.map(5),
      annotations: sandbox.map(6),
    };
  }
}

/** The image in a ContainerStatusResponse. @throws RangeError when it is not one */
export function parseStatusImage(bytes: Uint8Array): string {
  return readImage(new Message(bytes).message(1).message(8));
}

/** ImageSpec; the kubelet requests a container by the digest of its image. */
function readImage(spec: Message): string {
  const specified = spec.text(18);
  return specified === '' ? spec.text(1) : specified;
}

const decoder = new TextDecoder();

/** A message whose fields are looked up by number; missing ones are empty. */
class Message {
  readonly #fields: readonly Field[];

  constructor(bytes: Uint8Array) {
    this.#fields = readFields(bytes);
  }

  text(number: number): string {
    return decoder.decode(this.#bytes(number).at(-1));
  }

  message(number: number): Message {
    return new Message(this.#bytes(number).at(-1) ?? new Uint8Array());
  }

  *each(number: number): Iterable<Message> {
    for (const bytes of this.#bytes(number)) yield new Message(bytes);
  }

  map(number: number): Readonly<Record<string, string>> {
    return Object.fromEntries(Array.from(this.each(number), (entry) => [entry.text(1), entry.text(2)]));
  }

  #bytes(number: number): readonly Uint8Array[] {
    return this.#fields.flatMap((field) =>
      field.number === number && typeof field.value !== 'number' ? [field.value] : [],
    );
  }
}
