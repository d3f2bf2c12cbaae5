import { foreignOperations } from './foreign-operations.mjs';

const variableOf = (path) => `$module_of_${path.replace(/\W/g, '_')}`;
const escape = (path) => path.replace(/[.]/g, '\\.');

/** An upstream for each module, and which one the methods of a shared path belong to. */
export function nginxUpstreams(manifests) {
  const upstreams = manifests.map(
    ({ name }) => `upstream ${name} {
  zone ${name} 64k;
  least_conn;
  server ${name}:5000 max_fails=3 fail_timeout=10s;
  keepalive 32;
  keepalive_timeout 60s;
}
`,
  );
  const maps = foreignOperations(manifests).map(
    ({ path, owner, methods }) => `
# The methods of /api/v1/${path} belong to different modules.
map $request_method ${variableOf(path)} {
  default ${owner};
${methods.map(({ method, module }) => `  ${method} ${module};\n`).join('')}}
`,
  );
  return [...upstreams, ...maps].join('');
}

/** The locations of each module. */
export function nginxRoutes(manifests) {
  const modules = manifests.map(({ name, apiPaths, publicPaths, answersTokens }) => {
    const api = alternatives(apiPaths.map(escape));
    const pages = publicPaths.filter(({ isWebSocket }) => !isWebSocket).map(({ path }) => escape(path));
    const paths = alternatives([...(apiPaths.length > 0 ? [`api/v1/${api}`] : []), ...pages]);
    return `location ~ ^/${paths}(/|$) {
  include common/flood.conf;
${answersTokens ? '  gzip off;\n' : ''}  proxy_pass http://${name};
}
`;
  });
  const sockets = manifests.flatMap(({ name, publicPaths }) =>
    publicPaths
      .filter(({ isWebSocket }) => isWebSocket)
      .map(
        ({ path }) => `location = /${path} {
  include common/flood.conf;
  include common/websocket.conf;
  proxy_pass http://${name};
}
`,
      ),
  );
  const shared = foreignOperations(manifests).map(
    ({ path }) => `location = /api/v1/${path} {
  include common/flood.conf;
  proxy_pass http://${variableOf(path)};
}
`,
  );
  return [...modules, ...shared, ...sockets, readiness(manifests)].join('');
}

/** The edge is ready where each module is: they are asked one after the other, and each has a path of its own to be asked by. */
function readiness(manifests) {
  const names = manifests.map(({ name }) => name);
  const steps = names.map((name, index) => {
    const next = index + 1 < names.length ? `@ready_${names[index + 1]}` : '@ready';
    return `location ${index === 0 ? '= /health/ready' : `@ready_${name}`} {
  include common/ready.conf;
  auth_request /health/ready/${name};
  try_files /- ${next};
}
`;
  });
  const each = names.map(
    (name) => `location = /health/ready/${name} {
  include common/ready-module.conf;
  proxy_pass http://${name}/health/ready;
}
`,
  );
  return `
# Ready where each module is.
${steps.join('')}location @ready {
  proxy_pass http://${names[0]};
}
${each.join('')}`;
}

const alternatives = (paths) => (paths.length === 1 ? paths[0] : `(${paths.join('|')})`);
