/** One instruction, its continuation lines joined. */
interface Instruction {
  /** Upper case, such as `COPY`. */
  readonly keyword: string;
  readonly value: string;
}

/** One `FROM` and what follows it. */
export interface Stage {
  readonly image: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** The stages in order; the last one is the image. */
export type Dockerfile = readonly Stage[];

/** Parses the part of the Dockerfile language that is used here: no heredocs, no parser directives. */
export function parseDockerfile(text: string): Dockerfile {
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  for (const line of lines.join('\n').replaceAll(/\\\n/g, ' ').split('\n')) {
    const [, keyword = '', value = ''] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
    if (keyword === '') continue;
    if (keyword.toUpperCase() === 'FROM') {
      const [image = '', , name] = value.split(/\s+/);
      stages.push({ image, name, instructions: [] });
    } else {
      stages.at(-1)?.instructions.push({ keyword: keyword.toUpperCase(), value });
    }
  }
  return stages;
}

/** The stage that becomes the image. */
export function finalStage(dockerfile: Dockerfile): Stage {
  return dockerfile.at(-1) ?? { image: '', name: undefined, instructions: [] };
}

/** The values of every instruction of a kind, in order. */
export function valuesOf(stage: Stage, keyword: string): string[] {
  return stage.instructions.filter((one) => one.keyword === keyword).map(({ value }) => value);
}

/** What `ENV NAME=value ...` sets in a stage. */
export function environmentOf(stage: Stage): Map<string, string> {
  const pairs = valuesOf(stage, 'ENV').flatMap((value) => [...value.matchAll(/(\w+)=("[^"]*"|\S*)/g)]);
  return new Map(pairs.map(([, name = '', value = '']) => [name, value.replaceAll('"', '')]));
}

/** The words of an exec form; undefined for a shell form. */
export function execForm(value: string): string[] | undefined {
  try {
    const words: unknown = JSON.parse(value);
    return Array.isArray(words) && words.every((word) => typeof word === 'string') ? words : undefined;
  } catch {
    return undefined;
  }
}
