/** `required_engine_version` and `required_plugin_versions`: checked for form, accepted, and told. */
import { type Diagnostics, RuleError } from './diagnostics.ts';
import { ItemNode } from './item-node.ts';

const INTEGER = /^[0-9]+$/;
const VERSION = /^[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?$/;

/** A plain number N means 0.N.0. Throws RuleError. */
export function readEngineVersion(item: ItemNode, diagnostics: Diagnostics): void {
  const { text } = item.text('required_engine_version');
  const version = INTEGER.test(text) ? `0.${text}.0` : text;
  const code = item.codeOf('required_engine_version');
  if (!VERSION.test(version)) throw new RuleError(`'${text}' is no engine version; expected x.y.z`, code);
  diagnostics.add(
    'note',
    `engine version ${version} is required: accepted, all fields are checked by name`,
    code,
  );
}

/** Throws RuleError. */
export function readPluginVersions(item: ItemNode, diagnostics: Diagnostics): void {
  for (const node of item.sequence('required_plugin_versions')) {
    const plugin = new ItemNode(node, item.context, 'a required plugin must be a mapping');
    const name = readPlugin(plugin);
    const names = new Set([name]);
    for (const other of plugin.has('alternatives') ? plugin.sequence('alternatives') : []) {
      const alternative = new ItemNode(other, item.context, 'an alternative plugin must be a mapping');
      const alternativeName = readPlugin(alternative);
      if (names.has(alternativeName)) {
        throw new RuleError(`plugin '${alternativeName}' is required twice`, alternative.code);
      }
      names.add(alternativeName);
    }
    diagnostics.add('note', `plugin ${[...names].join(' or ')} is required: accepted`, plugin.code);
  }
}

function readPlugin(plugin: ItemNode): string {
  const name = plugin.text('name').text;
  const version = plugin.text('version').text;
  if (!VERSION.test(version)) {
    throw new RuleError(
      `'${version}' is no version of plugin '${name}'; expected x.y.z`,
      plugin.codeOf('version'),
    );
  }
  return name;
}
