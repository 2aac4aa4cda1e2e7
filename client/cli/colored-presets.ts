/**
 * The ready-made lines in colour, for terminals. Colours are plain text of the template, so that the server renders them
 * with the line and the command still passes bytes on untouched.
 */
import type { Colors } from 'picocolors/types.js';
import type { CliContext } from './context.ts';

/** Templates by the name of their preset. */
export interface PresetTemplates {
  readonly default: string;
  readonly container: string;
  readonly kubernetes: string;
}

/** The templates to use instead of the server's presets; undefined where there are to be no colours. */
export async function coloredPresets(context: CliContext): Promise<PresetTemplates | undefined> {
  const { colors } = context;
  if (!colors.isColorSupported) return undefined;
  const { TEMPLATE_PRESETS } = await import('../../server/fields/template.ts');
  return {
    default: colorTemplate(TEMPLATE_PRESETS.default, colors),
    container: colorTemplate(TEMPLATE_PRESETS.container, colors),
    kubernetes: colorTemplate(TEMPLATE_PRESETS.kubernetes, colors),
  };
}

/** The template with each field in the colour of its kind; text between fields stays as it is. */
export function colorTemplate(template: string, colors: Colors): string {
  const paints: Readonly<Record<string, (text: string) => string>> = {
    '%evt.num': colors.dim,
    '%evt.outputtime': colors.dim,
    '%evt.cpu': colors.dim,
    '%proc.name': colors.cyan,
    '%evt.type': colors.green,
    '%container.name': colors.magenta,
    '%k8s.pod.name': colors.magenta,
  };
  return template.replace(/%[a-z0-9.]+/g, (field) => paints[field]?.(field) ?? field);
}
