/** docs/api.md: every service, message and enum of the contract with its comments, from the compiled .proto files. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import {
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type as FieldType,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  type MethodDescriptorProto,
} from '@bufbuild/protobuf/wkt';

const PACKAGE = 'strata.v1';

/** Members of FileDescriptorProto, as the paths of comments count them; and of the things in them. */
const MESSAGES = 4;
const ENUMS = 5;
const SERVICES = 6;
const INNER = 2;

export function apiDoc(root: string): string {
  const image = execFileSync(
    join(root, 'node_modules/.bin/buf'),
    ['build', 'proto', '--as-file-descriptor-set', '--output', '-#format=binpb'],
    { cwd: root, maxBuffer: 16 * 1024 * 1024 },
  );
  const files = fromBinary(FileDescriptorSetSchema, image).file.filter((file) => file.package === PACKAGE);
  const sections = files.map((file) => new FileSections(file));
  const services = files.flatMap((file) => file.service.map((service) => service.name));
  return `# gRPC interface

Package \`${PACKAGE}\`. Generated from \`proto/strata/v1\` by \`npm run generate\`; do not edit. Beside it the server answers
\`grpc.health.v1.Health\` and server reflection (\`v1\` and \`v1alpha\`), so that \`buf curl\` and \`grpcurl\` need no files.

Text that comes from the kernel or from files is \`bytes\`, because Linux paths need not be UTF-8.

${services.map((name) => `- ${link(name)}`).join('\n')}
- [Messages](#messages)
- [Enums](#enums)

${sections.flatMap((file) => file.services()).join('\n\n')}

# Messages

${sorted(sections.flatMap((file) => file.messages())).join('\n\n')}

# Enums

${sorted(sections.flatMap((file) => file.enums())).join('\n\n')}
`;
}

/** Markdown of what one file declares. */
class FileSections {
  private readonly file: FileDescriptorProto;
  private readonly comments: ReadonlyMap<string, string>;

  constructor(file: FileDescriptorProto) {
    this.file = file;
    const locations = file.sourceCodeInfo?.location ?? [];
    this.comments = new Map(
      locations.map((location) => [location.path.join('.'), cleanComment(location.leadingComments)]),
    );
  }

  services(): string[] {
    return this.file.service.map((service, i) => {
      const methods = service.method.map((method, j) =>
        [`## ${service.name}.${method.name}`, signature(method), this.comment(SERVICES, i, INNER, j)].join(
          '\n\n',
        ),
      );
      return [`# ${service.name}`, this.comment(SERVICES, i), ...methods].join('\n\n');
    });
  }

  messages(): string[] {
    return this.file.messageType.map((message, i) => {
      const rows = message.field.map((field, j) => {
        const oneof = field.proto3Optional ? undefined : message.oneofDecl[field.oneofIndex]?.name;
        const isOneof =
          field.label === FieldDescriptorProto_Label.OPTIONAL && hasOneof(field) && oneof !== undefined;
        const prefix = field.proto3Optional ? 'optional ' : isOneof ? `one of \`${oneof}\`: ` : '';
        const comment = cell(this.comment(MESSAGES, i, INNER, j));
        return `| \`${field.name}\` | ${field.number} | ${prefix}${typeOf(field)} | ${comment} |`;
      });
      const table = ['| member | number | type | |', '| --- | --- | --- | --- |', ...rows].join('\n');
      const parts = [`## ${message.name}`, this.comment(MESSAGES, i)];
      return [...parts, ...(rows.length > 0 ? [table] : [])].join('\n\n');
    });
  }

  enums(): string[] {
    return this.file.enumType.map((item, i) => {
      const rows = item.value.map((value, j) => {
        const comment = cell(this.comment(ENUMS, i, INNER, j));
        return `| \`${value.name}\` | ${value.number} | ${comment} |`;
      });
      const table = ['| value | number | |', '| --- | --- | --- |', ...rows].join('\n');
      return [`## ${item.name}`, this.comment(ENUMS, i), table].join('\n\n');
    });
  }

  private comment(...path: readonly number[]): string {
    return this.comments.get(path.join('.')) ?? '';
  }
}

/** A comment as one cell of a table: code keeps its angle brackets, other text must not be taken for HTML. */
function cell(comment: string): string {
  return comment
    .replaceAll('|', '\\|')
    .replace(/\s*\n\s*/g, ' ')
    .split('`')
    .map((part, i) => (i % 2 === 0 ? part.replaceAll('<', '&lt;') : part))
    .join('`');
}

function cleanComment(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/^ /, '').trimEnd())
    .join('\n')
    .trim();
}

function signature(method: MethodDescriptorProto): string {
  const input = `${method.clientStreaming ? 'stream of ' : ''}${link(shortName(method.inputType))}`;
  const output = `${method.serverStreaming ? 'stream of ' : ''}${link(shortName(method.outputType))}`;
  return `${input} → ${output}`;
}

function hasOneof(field: FieldDescriptorProto): boolean {
  return Object.hasOwn(field, 'oneofIndex');
}

function typeOf(field: FieldDescriptorProto): string {
  const isRepeated = field.label === FieldDescriptorProto_Label.REPEATED;
  if (field.typeName.endsWith('Entry')) return 'map of string to string';
  return `${isRepeated ? 'repeated ' : ''}${elementType(field)}`;
}

function elementType(field: FieldDescriptorProto): string {
  if (field.type !== FieldType.MESSAGE && field.type !== FieldType.ENUM) {
    return FieldType[field.type].toLowerCase();
  }
  const isOwn = field.typeName.startsWith(`.${PACKAGE}.`);
  return isOwn ? link(shortName(field.typeName)) : `\`${field.typeName.slice(1)}\``;
}

function shortName(typeName: string): string {
  return typeName.slice(typeName.lastIndexOf('.') + 1);
}

function link(name: string): string {
  return `[${name}](#${name.toLowerCase()})`;
}

function sorted(sections: readonly string[]): string[] {
  return [...sections].sort();
}
