import { readFileSync } from 'node:fs';
import { parseDocument, type YAMLError } from 'yaml';
import { ConfigError } from './config-error.ts';

/**
 * Reads a YAML file.
 * @param name what to call it in errors.
 * @throws ConfigError with the position and the kind of every fault, never with the text around it: that may be a key.
 */
export function readYamlFile(path: string, name: string): unknown {
  const text = readText(path, name);
  // What is being written is empty for a moment: a reload must not take that for a configuration.
  if (text.trim() === '') throw new ConfigError([`${name} is empty`]);
  // As Compose, Helm and most others read it: `<<` takes over what stands at an anchor.
  const document = parseDocument(text, { merge: true });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) throw new ConfigError(faults.map((fault) => `${name}${describe(fault)}`));
  try {
    const tree: unknown = document.toJS();
    // An anchor that stands within itself makes a tree without an end, which this does not write.
    JSON.stringify(tree);
    return tree;
  } catch {
    throw new ConfigError([
      `${name} refers to an anchor that does not exist, too often to one that does, or to one from within itself`,
    ]);
  }
}

function readText(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([
      `${name} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`,
    ]);
  }
}

function describe({ code, linePos }: YAMLError): string {
  const reason = code.toLowerCase().replaceAll('_', ' ');
  const [start] = linePos ?? [];
  return start ? `, line ${start.line}, column ${start.col}: ${reason}` : `: ${reason}`;
}
