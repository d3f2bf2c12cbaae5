/** The split shape in docs/architecture.md: a diagram, and which process serves which path. */
export function architectureDocument(manifests) {
  const names = manifests.map(({ name }) => name);
  const all = names.join(' & ');
  const databases = names.map((name) => `  ${name} --> ${name}-database[(MongoDB)]\n`).join('');
  const rows = manifests.map((manifest) => `| ${pathsOf(manifest).join(', ')} | ${manifest.name} |\n`).join('');
  return `
\`\`\`mermaid
flowchart LR
  client([client]) --> gateway[NGINX]
  gateway --> ${all}
${databases}  ${all} <--> broker[[RabbitMQ]]
  ${all} -.-> redis[(Redis)]
\`\`\`

| path | process |
| --- | --- |
${rows}| \`/\`, \`/docs…\`, \`/problems…\`, \`/static/…\`, \`/health…\` | any |

`;
}

function pathsOf({ apiPaths, foreignOperations = [], publicPaths }) {
  return [
    ...apiPaths.map((path) => `\`/api/v1/${path}…\``),
    ...foreignOperations.map(({ method, path }) => `\`${method} /api/v1/${path}\``),
    ...publicPaths.map(({ path }) => `\`/${path}\``),
  ];
}
