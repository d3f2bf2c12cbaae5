import { join } from 'node:path';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';
import { ROOT, run } from './tools.js';

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
}

/** What `kubectl apply -k` would send. */
export function render(folder: string): Manifest[] {
  return parse(run('kubectl', ['kustomize', folder]));
}

export function parse(yaml: string): Manifest[] {
  return parseAllDocuments(yaml).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() as Manifest;
  });
}

/**
 * Everything an API server with strict field validation would refuse, as far as it can be told without one; empty for
 * good manifests. kubernetes-models' validators check what must be there and its form, but let unknown fields pass, and a
 * misspelt probe is no probe. Its types are closed: as an object literal of its type, a manifest with a field too many
 * doesn't compile.
 */
export async function problemsOf(manifests: Manifest[]): Promise<string[]> {
  const problems = unknownFields(manifests);
  // One after the other: Jest's module loader trips over the same module imported twice at once.
  for (const manifest of manifests) problems.push(...(await invalidValues(manifest)));
  return problems;
}

function title({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`;
}

function modelPath({ apiVersion, kind }: Manifest): string {
  return isCustom({ apiVersion }) ? './support/custom-resources.js' : `kubernetes-models/${apiVersion}/${kind}`;
}

/** Kubernetes' own groups have no dot, or end in k8s.io; those of Gateway API do, but come with its own definitions. */
function isCustom({ apiVersion }: Pick<Manifest, 'apiVersion'>): boolean {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0]! : '';
  return group === 'gateway.networking.k8s.io' || (group.includes('.') && !group.endsWith('.k8s.io'));
}

async function invalidValues(manifest: Manifest): Promise<string[]> {
  // The types of custom resources say it all, their lists of values too.
  if (isCustom(manifest)) return [];
  try {
    const models = (await import(modelPath(manifest))) as Record<
      string,
      new (data: Manifest) => { validate(): unknown }
    >;
    new models[manifest.kind]!(manifest).validate();
    return [];
  } catch (error) {
    return [`${title(manifest)}: ${String(error)}`];
  }
}

function unknownFields(manifests: Manifest[]): string[] {
  const file = join(ROOT, 'test/deploy/rendered-manifests.ts');
  const text = manifests
    .map((manifest, index) => {
      const type = `import(${JSON.stringify(modelPath(manifest))}).I${manifest.kind}`;
      return `export const manifest${index}: ${type} = ${JSON.stringify(manifest)};`;
    })
    .join('\n');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ['lib.es2023.d.ts'],
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile, readFile } = host;
  host.fileExists = (name) => name === file || fileExists.call(host, name);
  host.readFile = (name) => (name === file ? text : readFile.call(host, name));
  host.getSourceFile = (name, languageVersion, ...rest) =>
    name === file
      ? ts.createSourceFile(name, text, languageVersion)
      : getSourceFile.call(host, name, languageVersion, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file: source, start, messageText }) => {
    const line = source && start !== undefined ? source.getLineAndCharacterOfPosition(start).line : undefined;
    const manifest = line === undefined ? undefined : manifests[line];
    return `${manifest ? `${title(manifest)}: ` : ''}${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}
