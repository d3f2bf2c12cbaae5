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
  return [...modules, ...shared, ...sockets].join('');
}

const alternatives = (paths) => (paths.length === 1 ? paths[0] : `(${paths.join('|')})`);
